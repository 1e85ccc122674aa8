import { ConfigMap } from '../../api/core/config-map.ts';
import { Namespace } from '../../api/core/namespace.ts';
import { ServiceAccount } from '../../api/core/service-account.ts';
import { nameOf, namespaceOf } from '../../api/meta/object-meta.ts';
import { createShell } from '../context.ts';
import type { ControllerContext, StartController } from '../context.ts';
import { unlessThere } from '../writes.ts';
import { defaultAccount, planAccounts, rootCaName } from './reconcile.ts';

/** Gives every namespace its `default` account and, when there is a certificate, `kube-root-ca.crt`. */
export function serviceAccountsWith(certificate: string | undefined): StartController {
  return (context) => startServiceAccounts(context, certificate);
}

async function startServiceAccounts(context: ControllerContext, certificate: string | undefined) {
  const { caches, client } = context;
  const namespaces = caches.of(Namespace);
  const accounts = caches.of(ServiceAccount);
  const rootCas = caches.of(ConfigMap, { fieldSelector: `metadata.name=${rootCaName}` });
  const shell = createShell(context, 'service-accounts');

  const queue = shell.queue(async (name) => {
    const namespace = namespaces.get(name);
    if (namespace === undefined) return;
    const plan = planAccounts({
      namespace,
      hasAccount: accounts.get(defaultAccount, name) !== undefined,
      rootCa: rootCas.get(rootCaName, name),
      certificate,
    });
    await Promise.all([
      plan.account && unlessThere(client.create(ServiceAccount, plan.account)),
      plan.createRootCa && unlessThere(client.create(ConfigMap, plan.createRootCa)),
      plan.updateRootCa && client.update(ConfigMap, plan.updateRootCa),
    ]);
  });

  if (!(await shell.ready(namespaces, accounts, rootCas))) return shell;
  shell.keep(
    namespaces.subscribe((changes) => changes.forEach(({ current }) => current && queue.add(nameOf(current)))),
  );
  shell.keep(
    accounts.subscribe((changes) => {
      for (const { old, current } of changes)
        if (current === undefined && old !== undefined) queue.add(namespaceOf(old));
    }),
  );
  shell.keep(
    rootCas.subscribe((changes) => {
      for (const { old, current } of changes) if (old !== undefined) queue.add(namespaceOf(current ?? old));
    }),
  );
  return shell;
}
