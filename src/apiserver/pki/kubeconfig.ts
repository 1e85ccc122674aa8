import { stringify } from 'yaml';
import type { KeyPair } from './certificate.ts';

export interface KubeconfigOptions {
  /** e.g. `https://127.0.0.1:6443`. */
  readonly server: string;
  readonly authority: string;
  readonly user: string;
  readonly client: KeyPair;
  /** Name of cluster and context; `fairlead` when unset. */
  readonly cluster?: string;
}

/** A kubeconfig with everything in it, no references to other files. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const cluster = options.cluster ?? 'fairlead';
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: cluster, cluster: { server: options.server, 'certificate-authority-data': base64(options.authority) } },
      ],
      users: [
        {
          name: options.user,
          user: {
            'client-certificate-data': base64(options.client.certificate),
            'client-key-data': base64(options.client.key),
          },
        },
      ],
      contexts: [{ name: cluster, context: { cluster, user: options.user } }],
      'current-context': cluster,
    },
    { lineWidth: 0 },
  );
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
