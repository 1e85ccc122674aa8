import { compact } from '../../objects.ts';
import type { Pod } from '../pod.ts';
import type { Container, ContainerPort } from './container.ts';
import type { PodSpec } from './pod-spec.ts';
import type { PodTemplateSpec } from './pod-template.ts';
import type { Volume } from './volumes.ts';

/** Defaults of Pods that depend on more than one field. The others are in the field tables. */

/** The tag of an image name: `latest` when there is neither tag nor digest, '' with a digest alone. */
function tagOf(image: string): string {
  const [name = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(name)?.[1];
  return tag ?? (digest === undefined ? 'latest' : '');
}

function pullPolicyOf(image: string): 'Always' | 'IfNotPresent' {
  return tagOf(image) === 'latest' ? 'Always' : 'IfNotPresent';
}

function defaultContainer<C extends Container>(container: C): C {
  if (container.imagePullPolicy !== undefined && container.resources !== undefined) return container;
  return {
    ...container,
    resources: container.resources ?? {},
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image ?? ''),
  };
}

/** A volume that says nothing about its source is an empty directory. */
function defaultVolume(volume: Volume): Volume {
  return Object.keys(volume).length > 1 ? volume : { ...volume, emptyDir: {} };
}

/** Defaults that Pods and Pod templates share. */
export function defaultPodSpec(spec: PodSpec): PodSpec {
  return compact({
    ...spec,
    securityContext: spec.securityContext ?? {},
    containers: spec.containers?.map(defaultContainer),
    initContainers: spec.initContainers?.map(defaultContainer),
    ephemeralContainers: spec.ephemeralContainers?.map((each) => ({
      ...each,
      imagePullPolicy: each.imagePullPolicy ?? pullPolicyOf(each.image ?? ''),
    })),
    volumes: spec.volumes?.map(defaultVolume),
    ...accountOf(spec),
  });
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are kept alike. */
function accountOf(spec: PodSpec): Partial<PodSpec> {
  const name = spec.serviceAccountName ?? spec.serviceAccount;
  return name === undefined ? {} : { serviceAccountName: name, serviceAccount: name };
}

/** Defaults of a template in a workload. */
export function defaultPodTemplate(template: PodTemplateSpec): PodTemplateSpec {
  return template.spec === undefined ? template : { ...template, spec: defaultPodSpec(template.spec) };
}

/** A container with limits asks for as much as its limits. */
function requestLimits<C extends Container>(container: C): C {
  const { limits, requests } = container.resources ?? {};
  if (limits === undefined) return container;
  return { ...container, resources: { ...container.resources, requests: { ...limits, ...requests } } };
}

function onHostNetwork<C extends Container>(container: C): C {
  const ports = container.ports?.map((port): ContainerPort => ({
    ...port,
    hostPort: port.hostPort ?? port.containerPort,
  }));
  return ports === undefined ? container : { ...container, ports };
}

/** Fills in everything that a Pod may leave out. */
export function defaultPod(pod: Pod): Pod {
  const spec = defaultPodSpec(pod.spec);
  const adapt = <C extends Container>(container: C): C => {
    const asking = requestLimits(container);
    return spec.hostNetwork === true ? onHostNetwork(asking) : asking;
  };
  const complete = compact({
    ...spec,
    enableServiceLinks: spec.enableServiceLinks ?? true,
    containers: spec.containers?.map(adapt),
    initContainers: spec.initContainers?.map(adapt),
  });
  return { ...pod, spec: complete };
}
