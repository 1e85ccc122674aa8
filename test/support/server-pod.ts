/** A little HTTP server as a Pod container's command: answers every request with its Pod's name. */
const source = `
const { createServer } = require('node:http');
const host = process.env.POD_IP, name = process.env.POD_NAME;
let healthy = true;
const server = createServer((request, response) => {
  if (request.url === '/sick') healthy = false;
  if (request.url === '/well') healthy = true;
  const status = request.url === '/healthz' && !healthy ? 503 : 200;
  response.writeHead(status, { connection: 'close' }).end(request.url === '/from' ? request.socket.remoteAddress : name);
});
server.listen(Number(process.env.PORT), host);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

export interface ServerOptions {
  readonly port: number;
  /** Extra fields of the Pod's spec. */
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly readinessPath?: string;
  readonly node?: string;
}

/** A Pod spec with that server as its only container. */
export function serverPodSpec({
  port,
  spec = {},
  readinessPath = '/healthz',
  node = process.execPath,
}: ServerOptions): object {
  const field = (fieldPath: string): object => ({ valueFrom: { fieldRef: { fieldPath } } });
  return {
    terminationGracePeriodSeconds: 5,
    containers: [
      {
        name: 'server',
        image: 'host',
        command: [node, '-e', source],
        env: [
          { name: 'PORT', value: String(port) },
          { name: 'POD_NAME', ...field('metadata.name') },
          { name: 'POD_IP', ...field('status.podIP') },
        ],
        ports: [{ name: 'http', containerPort: port }],
        readinessProbe: { httpGet: { path: readinessPath, port: 'http' }, periodSeconds: 1, failureThreshold: 1 },
      },
    ],
    ...spec,
  };
}

/** A Deployment of such servers, labelled `app: NAME`. */
export function serverDeployment(name: string, replicas: number, options: ServerOptions): object {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: serverPodSpec(options) },
    },
  };
}

/** A Service for it. */
export function service(name: string, spec: Readonly<Record<string, unknown>>): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ...spec } };
}
