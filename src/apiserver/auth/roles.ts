/** What a role allows; the shape of a Kubernetes PolicyRule, so that reviews can show it as it is. `*` means all. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  /** `pods`, `pods/status`, `*` (resources and subresources). */
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  /** Exact paths, or prefixes that end in `*`. */
  readonly nonResourceURLs?: readonly string[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete'];
const leader: Rule = {
  verbs: ['get', 'create', 'update', 'patch', 'list', 'watch'],
  apiGroups: ['coordination.k8s.io'],
  resources: ['leases'],
};
const writeEvents: Rule = {
  verbs: ['create', 'patch', 'update'],
  apiGroups: ['', 'events.k8s.io'],
  resources: ['events'],
};
const readDiscovery: readonly Rule[] = [
  { verbs: read, apiGroups: [''], resources: ['services', 'endpoints', 'namespaces', 'nodes', 'pods'] },
  { verbs: read, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
  { verbs: read, apiGroups: ['networking.k8s.io'], resources: ['servicecidrs', 'ipaddresses'] },
];

const everything: readonly Rule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** Health and version: open to everyone, with or without credentials (`system:public-info-viewer`). */
export const publicRules: readonly Rule[] = [
  {
    verbs: ['get'],
    nonResourceURLs: ['/healthz', '/healthz/*', '/livez', '/livez/*', '/readyz', '/readyz/*', '/version', '/version/'],
  },
];

/** What Kubernetes gives everyone who is authenticated (`system:discovery`, `system:basic-user`). */
export const authenticatedRules: readonly Rule[] = [
  { verbs: ['get'], nonResourceURLs: ['/api', '/api/*', '/apis', '/apis/*', '/openapi', '/openapi/*'] },
  {
    verbs: ['create'],
    apiGroups: ['authorization.k8s.io'],
    resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
  },
  { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
];

/** Rules by group. */
export const groupRules: Readonly<Record<string, readonly Rule[]>> = {
  'system:masters': everything,
  'system:nodes': [
    ...readDiscovery,
    { verbs: read, apiGroups: [''], resources: ['configmaps', 'secrets', 'serviceaccounts'] },
    { verbs: ['create', 'update', 'patch'], apiGroups: [''], resources: ['nodes', 'nodes/status', 'pods/status'] },
    { verbs: ['create', 'delete'], apiGroups: [''], resources: ['pods'] },
    { verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'] },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'] },
    { verbs: ['create'], apiGroups: ['authorization.k8s.io'], resources: ['subjectaccessreviews'] },
    leader,
    writeEvents,
  ],
  'system:monitoring': [{ verbs: ['get'], nonResourceURLs: ['/metrics', '/healthz', '/livez', '/readyz'] }],
};

/** Rules by user: the components, when they run apart from the server. */
export const userRules: Readonly<Record<string, readonly Rule[]>> = {
  'system:kube-controller-manager': everything,
  'system:kube-proxy': [...readDiscovery, writeEvents, leader],
  'system:fairlead-dns': [
    ...readDiscovery,
    { verbs: write, apiGroups: [''], resources: ['services', 'endpoints'], resourceNames: ['kube-dns'] },
    { verbs: ['create'], apiGroups: [''], resources: ['services', 'endpoints'] },
    { verbs: write, apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'] },
    writeEvents,
    leader,
  ],
};

/** The annotation by which an administrator gives a ServiceAccount one of `namedRoles`, comma-separated. */
export const rolesAnnotation = 'fairlead.dev/roles';

/**
 * Roles a ServiceAccount may be given. Without the annotation it has only what every authenticated user has: a Pod that is
 * broken into can look around the API's documentation and nothing else.
 */
export const namedRoles: Readonly<Record<string, readonly Rule[]>> = {
  'service-discovery': readDiscovery,
  view: [
    ...readDiscovery,
    {
      verbs: read,
      apiGroups: [''],
      resources: ['configmaps', 'events', 'serviceaccounts', 'pods/log', 'pods/status', 'services/status'],
    },
    { verbs: read, apiGroups: ['apps', 'coordination.k8s.io', 'events.k8s.io'], resources: ['*'] },
  ],
  'cluster-admin': everything,
};
