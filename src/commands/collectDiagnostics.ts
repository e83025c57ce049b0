import * as vscode from 'vscode';
import { readSettings } from '../editor/settings.ts';
import type { App } from '../editor/app.ts';
import type { Command } from './command.ts';

/** What is known in this window, as a document for a bug report: no secret, no file content, nothing contacted. */
export const collectDiagnostics: Command = (app) => async () => {
  const { inventory, error, uri } = await app.session.file.read();
  const report = {
    extension: (app.context.extension.packageJSON as { readonly version: string }).version,
    vscode: vscode.version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    remote: vscode.env.remoteName ?? null,
    language: vscode.env.language,
    trusted: vscode.workspace.isTrusted,
    source: app.session.source(),
    settings: {
      ...readSettings(),
      kubeconfig: readSettings().kubeconfig.length,
      // Names of clusters and contexts say whose they are.
      contexts: Object.keys(readSettings().contexts).length,
      sshConfig: readSettings().sshConfig !== undefined,
    },
    inventory: {
      scheme: uri.scheme,
      error: error?.code ?? null,
      clusters: inventory.clusters.length,
      vms: inventory.vms.length,
      services: inventory.services.length,
    },
    clusters: app.facts.known().clusters.map((name, index) => clusterReport(app, name, index)),
    vms: app.facts.known().vms.map((name, index) => vmReport(app, name, index)),
  };
  await app.showText('mesh-expansion-diagnostics.json', `${JSON.stringify(report, null, 2)}\n`, 'json');
};

function clusterReport(app: App, name: string, index: number): unknown {
  const { value, error } = app.facts.cluster(name);
  const balancers = value?.loadBalancers.map(({ role, state, ports }) => ({ role, state, ports: ports.map(({ port }) => port) }));
  return {
    cluster: index,
    era: value?.controlPlane.era,
    release: value?.controlPlane.release,
    balancers,
    services: value?.services.length,
    error: error?.code,
  };
}

function vmReport(app: App, name: string, index: number): unknown {
  const { value, error } = app.facts.vm(name);
  return {
    vm: index,
    condition: value?.condition,
    files: value?.files.map(({ file, drift }) => ({ path: file.path, drift })),
    units: value?.units.map(({ name: unit, active, enabled, restarts }) => ({ unit, active, enabled, restarts })),
    os: value?.state.facts?.os,
    checks: app.facts.checks(name)?.results.map(({ id, verdict }) => ({ id, verdict })),
    error: error?.code,
  };
}
