import type { Suite } from './suite.ts';

/**
 * The acceptance list of Kubernetes for Services: every title of the end-to-end suites of `sig-network` that concerns
 * them, and what shows it here: cases of the node proxy's contract (`src/proxy/contract/cases/`), tests by file and name,
 * or why it does not apply.
 */
export const suites: readonly Suite[] = [
  {
    name: 'Services should',
    titles: {
      'provide secure master service': [
        { file: 'src/apiserver/paths.test.ts', test: 'the system objects are there from the start' },
      ],
      'serve a basic endpoint from pods': ['a Service serves a basic endpoint from Pods, as they come and go'],
      'serve multiport endpoints from pods': ['a Service serves multiport endpoints from Pods'],
      'be updated after adding or deleting ports': ['a Service is updated after adding or deleting ports'],
      'preserve source pod IP for traffic thru service cluster IP': [
        'the address of a Pod is preserved through a cluster address, that of others is not',
      ],
      'allow pods to hairpin back to themselves through services': [
        'a Pod hairpins back to itself through its Service, as its node',
      ],
      'be able to up and down services': ['Services go up and down without disturbing others'],
      'work after the service has been recreated': ['a Service works after it has been recreated'],
      'work after restarting kube-proxy': [
        {
          file: 'src/proxy/nftables/adoption.netns.test.ts',
          test: 'connections live on without any process of ours, and through adoption',
        },
        {
          file: 'test/system/crash.test.ts',
          test: 'connections live through kill -9 of Fairlead, and the next start takes over Pods and kernel state',
        },
      ],
      'work after restarting apiserver': [
        {
          file: 'src/proxy/run.test.ts',
          test: 'without the API the last known state is in force, and the API corrects it when it comes',
        },
        { file: 'src/apiserver/apiserver.test.ts', test: 'an informer stays correct through a restart of the server' },
      ],
      'be able to create a functioning NodePort service': [
        'a NodePort Service answers on every node from everywhere, masqueraded, and on its cluster address',
      ],
      'be possible to connect to a service via ExternalIP when the external IP is not assigned to a node': [
        'a Service is reached by an external address that no node has, when they are allowed',
      ],
      'be able to update service type to NodePort listening on same port number but different protocols': [
        'a Service changes its type to NodePort, listening on one number for two protocols',
      ],
      'be able to change the type from ExternalName to ClusterIP': [
        'the type changes from ExternalName to ClusterIP and back',
      ],
      'be able to change the type from ExternalName to NodePort': [
        'the type changes from ExternalName to NodePort and back',
      ],
      'be able to change the type from ClusterIP to ExternalName': [
        'the type changes from ExternalName to ClusterIP and back',
        { file: 'test/system/service-kinds.test.ts', test: 'an ExternalName is a CNAME that leads to the target' },
      ],
      'be able to change the type from NodePort to ExternalName': [
        'the type changes from ExternalName to NodePort and back',
        {
          file: 'src/api/core/service.test.ts',
          test: 'a change to ExternalName gives addresses and node ports back',
        },
      ],
      'prevent NodePort collisions': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'a node port that was released by its Service may be had by another',
        },
      ],
      'check NodePort out-of-range': [
        { file: 'src/apiserver/services.test.ts', test: 'a node port outside the range is refused' },
      ],
      'release NodePorts on delete': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'a node port that was released by its Service may be had by another',
        },
      ],
      'create endpoints for unready pods': ['endpoints exist for unready Pods when the Service publishes them'],
      'be able to connect to terminating and unready endpoints if PublishNotReadyAddresses is true': [
        'terminating and unready endpoints are reached when publishNotReadyAddresses is true',
      ],
      'not be able to connect to terminating and unready endpoints if PublishNotReadyAddresses is false': [
        'terminating and unready endpoints are not reached when publishNotReadyAddresses is false',
      ],
      'have session affinity work for service with type clusterIP': [
        'session affinity works for a cluster address, over TCP and UDP, and moves when the backend goes',
      ],
      'have session affinity timeout work for service with type clusterIP': [
        'session affinity of a cluster address is forgotten after its timeout',
      ],
      'be able to switch session affinity for service with type clusterIP': [
        'session affinity may be switched on and off for a cluster address',
      ],
      'have session affinity work for NodePort service': ['session affinity works for a node port, over TCP and UDP'],
      'have session affinity timeout work for NodePort service': [
        'session affinity of node ports is forgotten after its timeout',
      ],
      'be able to switch session affinity for NodePort service': [
        'session affinity may be switched on and off for a node port',
      ],
      'implement service.kubernetes.io/service-proxy-name': [
        'a Service with the label service-proxy-name is left to another proxy, until it loses it',
      ],
      'implement service.kubernetes.io/headless': [
        'a Service with the label headless is left alone, until it loses it',
      ],
      'be rejected when no endpoints exist': [
        'a connection is refused when no endpoints exist, from everywhere, over TCP and UDP',
        'a node port without endpoints is refused',
        'a load balancer without endpoints is refused',
      ],
      'be rejected for evicted pods (no endpoints exist)': [
        'a connection is refused for evicted Pods (no endpoints exist)',
      ],
      'respect internalTrafficPolicy=Local Pod to Pod': [
        'internalTrafficPolicy Local: Pods reach endpoints of their node only, others are ignored',
      ],
      'respect internalTrafficPolicy=Local Pod (hostNetwork: true) to Pod': [
        'internalTrafficPolicy Local: host-network Pods and the node reach endpoints of their node only',
      ],
      'respect internalTrafficPolicy=Local Pod and Node, to Pod (hostNetwork: true)': [
        'internalTrafficPolicy Local: endpoints on the network of the node',
      ],
      'fail health check node port if there are only terminating endpoints': [
        'the health check node port fails when there are only terminating endpoints, which still serve',
      ],
      'fallback to terminating endpoints when there are no ready endpoints with internalTrafficPolicy=Cluster': [
        'terminating endpoints serve when there are no ready ones, with internalTrafficPolicy Cluster',
      ],
      'fallback to local terminating endpoints when there are no ready endpoints with internalTrafficPolicy=Local': [
        'local terminating endpoints serve when there are no ready local ones, with internalTrafficPolicy Local',
      ],
      'fallback to terminating endpoints when there are no ready endpoints with externalTrafficPolicy=Cluster': [
        'terminating endpoints serve when there are no ready ones, with externalTrafficPolicy Cluster',
      ],
      'fallback to local terminating endpoints when there are no ready endpoints with externalTrafficPolicy=Local': [
        'local terminating endpoints serve when there are no ready local ones, with externalTrafficPolicy Local',
      ],
      'find a service from listing all namespaces': [
        { file: 'src/apiserver/services.test.ts', test: 'a Service is found in a list of all namespaces' },
      ],
      'test the lifecycle of an Endpoint': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'the lifecycle of an Endpoints object: created, listed, watched, patched, replaced, deleted',
        },
      ],
      'complete a service status lifecycle': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'the lifecycle of a Service status: read, patched and replaced by its own door, and watched',
        },
      ],
      'delete a collection of services': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'a collection of Services is deleted by label, and others stay',
        },
      ],
      'serve endpoints on same port and different protocols': [
        'endpoints on the same port and different protocols are two frontends',
      ],
      'serve endpoints on same port and different protocol for internal traffic on Type LoadBalancer': [
        'endpoints on the same port and different protocols serve internal traffic of a load balancer',
      ],
      'allow creating a basic SCTP service with pod and endpoints': [
        'SCTP: a Service forwards associations on its cluster address and its node port, and refuses without endpoints',
      ],
      'implement NodePort and HealthCheckNodePort correctly when ExternalTrafficPolicy changes': [
        'NodePort and HealthCheckNodePort follow changes of externalTrafficPolicy',
      ],
      'support named targetPorts that resolve to different ports on different endpoints': [
        'named targetPorts may resolve to different ports on different endpoints',
      ],
    },
  },
  {
    name: 'Networking Granular Checks: Services should',
    titles: {
      'function for pod-Service: http': ['a Service serves a basic endpoint from Pods, as they come and go'],
      'function for pod-Service: udp': ['UDP spreads as well, each socket its own draw'],
      'function for pod-Service: sctp': [
        'SCTP: a Service forwards associations on its cluster address and its node port, and refuses without endpoints',
      ],
      'function for node-Service: http': [
        'a NodePort Service answers on every node from everywhere, masqueraded, and on its cluster address',
      ],
      'function for node-Service: udp': ['node ports over UDP'],
      'function for node-Service: sctp': [
        'SCTP: a Service forwards associations on its cluster address and its node port, and refuses without endpoints',
      ],
      'function for endpoint-Service: http': ['Pods answer on their own addresses, whatever their Services do'],
      'function for endpoint-Service: udp': ['Pods answer on their own addresses, whatever their Services do'],
      'function for endpoint-Service: sctp': ['Pods answer on their own addresses, whatever their Services do'],
      'update endpoints: http': ['a Service serves a basic endpoint from Pods, as they come and go'],
      'update endpoints: udp': ['a UDP client keeps its service when the server Pod of a cluster address cycles'],
      'update nodePort: http': ['the node port of a Service moves'],
      'update nodePort: udp': ['the node port of a Service moves'],
      'function for client IP based session affinity: http': [
        'session affinity works for a cluster address, over TCP and UDP, and moves when the backend goes',
      ],
      'function for client IP based session affinity: udp': [
        'session affinity works for a cluster address, over TCP and UDP, and moves when the backend goes',
      ],
      'be able to handle large requests: http': ['large requests arrive whole, over TCP and UDP'],
      'be able to handle large requests: udp': ['large requests arrive whole, over TCP and UDP'],
      'function for service endpoints using hostNetwork': [
        'endpoints may be on the network of their hosts',
        'node ports lead to endpoints on the network of their hosts',
      ],
      'function for multiple endpoint-Services with same selector': ['several Services may have the same selector'],
    },
  },
  {
    name: 'IPv6DualStack should',
    titles: {
      'create pod, add ipv6 and ipv4 ip to pod ips': [
        {
          file: 'src/controllers/endpoint-slices/reconcile.test.ts',
          test: 'a dual-stack Service has slices of both families',
        },
      ],
      'have ipv4 and ipv6 internal node ip': [
        'a Service of IPv4 alone answers in that family, on its address and its node port',
        'a Service of IPv6 alone answers in that family, on its address and its node port',
      ],
      'create service with ipv4 cluster ip': [
        'a Service of IPv4 alone answers in that family, on its address and its node port',
      ],
      'create service with ipv6 cluster ip': [
        'a Service of IPv6 alone answers in that family, on its address and its node port',
      ],
      'create service with ipv4,v6 cluster ip': [
        'a Service of IPv4 and IPv6 answers in both families with endpoints of the same',
      ],
      'create service with ipv6,v4 cluster ip': [
        'a Service of IPv6 and IPv4 answers in both families with endpoints of the same',
      ],
      'function for the secondary family of every granular check': [
        'the second family of a Service comes and goes',
        'one family may have endpoints while the other has none',
      ],
    },
  },
  {
    name: 'Traffic Distribution',
    titles: {
      'should route traffic to an endpoint in the same zone when using PreferClose': [
        'PreferClose: endpoints of the own zone while there are any, else all',
      ],
      'should route traffic to an endpoint in the same zone when using PreferSameZone': [
        'PreferSameZone: endpoints of the own zone while there are any, else all',
      ],
      'should route traffic correctly between pods on multiple nodes when using PreferClose': [
        'PreferClose: endpoints of the own zone while there are any, else all',
      ],
      'should route traffic to an endpoint on the same node or fall back when using PreferSameNode': [
        'PreferSameNode: endpoints of the own node while there are any, else of the zone, else all',
      ],
      'should fall back when there is no endpoint of the zone': [
        'PreferClose: endpoints of the own zone while there are any, else all',
      ],
    },
  },
  {
    name: 'Topology Hints',
    titles: {
      'should distribute endpoints evenly': [
        'topology hints distribute endpoints to the zones that they name',
        {
          file: 'src/controllers/endpoint-slices/run.test.ts',
          test: 'hints of a topology mode follow the CPU of the zones, and events tell when they come and go',
        },
      ],
    },
  },
  {
    name: 'EndpointSlice should',
    titles: {
      'have Endpoints and EndpointSlices pointing to API Server': [
        { file: 'src/apiserver/paths.test.ts', test: 'the system objects are there from the start' },
      ],
      'create and delete Endpoints and EndpointSlices for a Service with a selector specified': [
        { file: 'src/controllers/system.test.ts', test: 'a Service is deleted and its slices with it' },
      ],
      'create Endpoints and EndpointSlices for Pods matching a Service': [
        {
          file: 'src/controllers/system.test.ts',
          test: 'a Deployment and its Service: endpoints follow Pods, rollouts, undo and size',
        },
      ],
      'support creating EndpointSlice API operations': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'EndpointSlices, ServiceCIDRs and IPAddresses have every operation',
        },
      ],
      'support a Service with multiple endpoint IPs specified in multiple EndpointSlices': [
        'endpoints of one Service may be in several slices, with several addresses and ports',
      ],
      'support a Service with multiple ports specified in multiple EndpointSlices': [
        'endpoints of one Service may be in several slices, with several addresses and ports',
      ],
    },
  },
  {
    name: 'EndpointSliceMirroring should',
    titles: {
      'mirror a custom Endpoints resource through create update and delete': [
        {
          file: 'src/controllers/endpoint-slice-mirroring/run.test.ts',
          test: 'slices follow the Endpoints and go with them',
        },
      ],
      'mirror a custom Endpoint with multiple subsets and same IP address': [
        {
          file: 'src/controllers/endpoint-slice-mirroring/run.test.ts',
          test: 'Endpoints become slices by family, with their labels and annotations',
        },
      ],
    },
  },
  {
    name: 'Conntrack should',
    titles: {
      'be able to preserve UDP traffic when server pod cycles for a ClusterIP service': [
        'a UDP client keeps its service when the server Pod of a cluster address cycles',
      ],
      'be able to preserve UDP traffic when server pod cycles for a NodePort service': [
        'a UDP client keeps its service when the server Pod of a node port cycles',
      ],
      'be able to preserve UDP traffic when initial unready endpoints get ready': [
        'a UDP client that came before the first endpoint is served when there is one',
      ],
      'drop INVALID conntrack entries': [
        'invalid packets are dropped: a stray segment of a server does not end the connection',
      ],
    },
  },
  {
    name: 'KubeProxy',
    titles: {
      'should set TCP CLOSE_WAIT timeout': [
        {
          file: 'src/proxy/node-tuning.netns.test.ts',
          test: 'time-outs of connection tracking are raised, never lowered',
        },
      ],
    },
  },
  {
    name: 'LocalhostNodePorts should',
    titles: {
      'be accessible across nodes': [
        'node ports answer on localhost of every node when asked to, also without local endpoints',
      ],
      'maintain session affinity': ['client affinity works for node ports on localhost'],
      'work for pulling an image from a registry on localhost': [
        'node ports answer on localhost of every node when asked to, also without local endpoints',
      ],
    },
  },
  {
    name: 'LoadBalancers should',
    titles: {
      'be able to change the type and ports of a TCP service': [
        'a load balancer changes its type and its ports, over TCP and UDP',
      ],
      'be able to change the type and ports of a UDP service': [
        'a load balancer changes its type and its ports, over TCP and UDP',
      ],
      'only allow access from service loadBalancerSourceRanges': [
        'source ranges let only their sources in to load balancer addresses, and not to node ports',
      ],
      'have session affinity work for LoadBalancer service with ESIPP on': [
        'session affinity of a load balancer works, with and without Local, and may be switched',
      ],
      'have session affinity work for LoadBalancer service with ESIPP off': [
        'session affinity of a load balancer works, with and without Local, and may be switched',
      ],
      'be able to switch session affinity for LoadBalancer service with ESIPP on': [
        'session affinity of a load balancer works, with and without Local, and may be switched',
      ],
      'be able to switch session affinity for LoadBalancer service with ESIPP off': [
        'session affinity of a load balancer works, with and without Local, and may be switched',
      ],
      'handle load balancer cleanup finalizer for service': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'a Service waits with its end until the load balancer finalizer is gone',
        },
      ],
      'be able to create LoadBalancer Service without NodePort and change it': [
        'a load balancer may have no node ports, and get them later',
      ],
      'be able to preserve UDP traffic when server pod cycles for a LoadBalancer service on different nodes': [
        'a UDP client of a load balancer is served on when its backend cycles to another node',
      ],
      'be able to preserve UDP traffic when server pod cycles for a LoadBalancer service on the same nodes': [
        'a UDP client of a load balancer is served on when its backend cycles on the same node',
      ],
      'not have connectivity disruption during rolling update with externalTrafficPolicy=Cluster': [
        'a rolling update disturbs no client of a load balancer with policy Cluster',
      ],
      'not have connectivity disruption during rolling update with externalTrafficPolicy=Local': [
        'a rolling update disturbs no client of a load balancer with policy Local',
      ],
      'be able to create an internal type load balancer': {
        absent: 'annotations of one cloud; whoever allocates the address decides where it is reached',
      },
    },
  },
  {
    name: 'LoadBalancers ExternalTrafficPolicy: Local should',
    titles: {
      'work for type=LoadBalancer': [
        'ESIPP: a load balancer of policy Local keeps the client address, and its health check counts local endpoints',
      ],
      'work for type=NodePort': [
        'externalTrafficPolicy Local: outside reaches local endpoints with its own address, inside reaches all',
      ],
      'only target nodes with endpoints': ['ESIPP: only nodes with local endpoints answer, as endpoints move'],
      'work from pods': ['ESIPP: Pods reach a load balancer of policy Local from every node, with their own address'],
      'handle updates to ExternalTrafficPolicy field': [
        'ESIPP: changes of the policy change who answers and what is seen, and back',
      ],
    },
  },
  {
    name: 'ServiceCIDR and IPAddress',
    titles: {
      'should support IPAddress and ServiceCIDR API operations': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'EndpointSlices, ServiceCIDRs and IPAddresses have every operation',
        },
      ],
      'should create Services and serve on different Service CIDRs': [
        {
          file: 'src/proxy/run.test.ts',
          test: 'a Service outside every Service range works: its range may be on its way out',
        },
        {
          file: 'src/apiserver/allocate/service-cidr-lifecycle.test.ts',
          test: 'extend the addresses, and go when their addresses are gone',
        },
      ],
    },
  },
  {
    name: 'CVE-2021-29923',
    titles: {
      'IPv4 Service Type ClusterIP with leading zeros should work interpreted as decimal': {
        absent: 'addresses with leading zeros are refused since KEP-4858',
      },
      'addresses with leading zeros are never read as another address': [
        {
          file: 'src/apiserver/services.test.ts',
          test: 'IPv4 addresses with leading zeros are refused (CVE-2021-29923)',
        },
      ],
    },
  },
  {
    name: 'Elsewhere',
    titles: {
      'HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol':
        {
          absent: 'host ports are the container network’s: the node proxy has no part in them',
        },
      'Service endpoints latency should not be very high': [
        {
          file: 'src/proxy/run.test.ts',
          test: 'programming latency is measured for each change from its own write to the API, the start left out',
        },
        { file: 'test/system/hello.test.ts', test: 'hello answers by name within two seconds of its Pods being ready' },
      ],
      'Proxy should proxy through a service and a pod': {
        absent: 'the API server has no proxy subresource; `fairlead port-forward` reaches Pods and Services',
      },
      'DNS should provide DNS for services, ExternalName, hostname, subdomain and headless Services': [
        { file: 'test/system/service-kinds.test.ts', test: 'an ExternalName is a CNAME that leads to the target' },
        { file: 'test/system/service-kinds.test.ts', test: 'headless Pods have names of their own' },
        {
          file: 'test/system/service-kinds.test.ts',
          test: 'named ports have SRV records and addresses have PTR records',
        },
      ],
    },
  },
];
