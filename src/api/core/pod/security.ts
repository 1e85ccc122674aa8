import { bool, int64, list, message, object, string } from '../../declare.ts';
import type { Infer } from '../../schema.ts';

/** Privileges of Pods and containers. */

export const Capabilities = message(
  'core.v1.Capabilities',
  {
    add: list(1, 'string'),
    drop: list(2, 'string'),
  },
  { doc: 'Capabilities added and taken away.' },
);
export type Capabilities = Infer<typeof Capabilities>;

export const SELinuxOptions = message(
  'core.v1.SELinuxOptions',
  {
    user: string(1),
    role: string(2),
    type: string(3),
    level: string(4),
  },
  { doc: 'SELinux labels.' },
);
export type SELinuxOptions = Infer<typeof SELinuxOptions>;

export const WindowsSecurityContextOptions = message(
  'core.v1.WindowsSecurityContextOptions',
  {
    gmsaCredentialSpecName: string(1, { pointer: true }),
    gmsaCredentialSpec: string(2, { pointer: true }),
    runAsUserName: string(3, { pointer: true }),
    hostProcess: bool(4, { pointer: true }),
  },
  { doc: 'Privileges on Windows.' },
);
export type WindowsSecurityContextOptions = Infer<typeof WindowsSecurityContextOptions>;

export const SeccompProfile = message(
  'core.v1.SeccompProfile',
  {
    type: string(1, { required: true, values: ['Unconfined', 'RuntimeDefault', 'Localhost'] }),
    localhostProfile: string(2, { pointer: true }),
  },
  { doc: 'Which system calls are allowed.' },
);
export type SeccompProfile = Infer<typeof SeccompProfile>;

export const AppArmorProfile = message(
  'core.v1.AppArmorProfile',
  {
    type: string(1, { required: true, values: ['Unconfined', 'RuntimeDefault', 'Localhost'] }),
    localhostProfile: string(2, { pointer: true }),
  },
  { doc: 'Which AppArmor profile applies.' },
);
export type AppArmorProfile = Infer<typeof AppArmorProfile>;

export const SecurityContext = message(
  'core.v1.SecurityContext',
  {
    capabilities: object(1, Capabilities),
    privileged: bool(2, { pointer: true }),
    seLinuxOptions: object(3, SELinuxOptions),
    windowsOptions: object(10, WindowsSecurityContextOptions),
    runAsUser: int64(4, { pointer: true }),
    runAsGroup: int64(8, { pointer: true }),
    runAsNonRoot: bool(5, { pointer: true }),
    readOnlyRootFilesystem: bool(6, { pointer: true }),
    allowPrivilegeEscalation: bool(7, { pointer: true }),
    procMount: string(9, { pointer: true, values: ['Default', 'Unmasked'] }),
    seccompProfile: object(11, SeccompProfile),
    appArmorProfile: object(12, AppArmorProfile),
  },
  { doc: 'Privileges of a container. They win over those of the Pod.' },
);
export type SecurityContext = Infer<typeof SecurityContext>;

export const Sysctl = message(
  'core.v1.Sysctl',
  {
    name: string(1, { required: true }),
    value: string(2, { required: true }),
  },
  { doc: 'A kernel setting.' },
);
export type Sysctl = Infer<typeof Sysctl>;

export const PodSecurityContext = message(
  'core.v1.PodSecurityContext',
  {
    seLinuxOptions: object(1, SELinuxOptions),
    windowsOptions: object(8, WindowsSecurityContextOptions),
    runAsUser: int64(2, { pointer: true }),
    runAsGroup: int64(6, { pointer: true }),
    runAsNonRoot: bool(3, { pointer: true }),
    supplementalGroups: list(4, 'int64'),
    supplementalGroupsPolicy: string(12, { pointer: true, values: ['Merge', 'Strict'] }),
    fsGroup: int64(5, { pointer: true }),
    sysctls: list(7, Sysctl),
    fsGroupChangePolicy: string(9, { pointer: true, values: ['OnRootMismatch', 'Always'] }),
    seccompProfile: object(10, SeccompProfile),
    appArmorProfile: object(11, AppArmorProfile),
    seLinuxChangePolicy: string(13, { pointer: true }),
  },
  { doc: 'Privileges of all containers of a Pod.' },
);
export type PodSecurityContext = Infer<typeof PodSecurityContext>;
