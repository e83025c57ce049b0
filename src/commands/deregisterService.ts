import { chooseService, serviceReference } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const deregisterService: Command = (app) => async (node) => {
  const title = app.texts.t('editor.command.deregisterService');
  const service = await chooseService(app, node, title);
  if (service === undefined) return;
  await app.plans.run(title, [
    {
      make: async (options) => (await app.session.mesh()).planDeregister(serviceReference(service), options),
      vms: [],
      clusters: [service.cluster],
    },
  ]);
};
