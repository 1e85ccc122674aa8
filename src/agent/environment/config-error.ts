/** Something that a container's configuration names is missing or wrong: it waits as CreateContainerConfigError. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
