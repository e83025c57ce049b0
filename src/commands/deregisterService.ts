import { chooseService, serviceReference } from '../editor/targets.ts';
import type { Command } from './command.ts';

export const deregisterService: Command = (app) => async (node) => {
  const { t } = app.texts;
  const title = t('editor.command.deregisterService');
  const service = await chooseService(app, node, title);
  if (service === undefined) return;
  const remove = async () => app.session.file.edit((text, mesh) => mesh.removeService(text, service.name, service.namespace));
  await app.plans.run(
    title,
    [
      {
        make: async (options) => (await app.session.mesh()).planDeregister(serviceReference(service), options),
        vms: [],
        clusters: [service.cluster],
      },
    ],
    { afterwards: { text: t('editor.leave.question'), label: t('editor.leave.remove'), run: remove } },
  );
};
