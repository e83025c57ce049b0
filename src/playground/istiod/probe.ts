import { runCommand } from '../machine/commands.ts';
import type { Machine } from '../machine/machine.ts';
import type { NodeProbe } from './node.ts';

/** What an application's probe finds: undefined where it is alive, else what the agent tells istiod (istiod facts 3.4). */
export function probeProblem(machine: Machine, probe: NodeProbe): string | undefined {
  const { httpGet, exec, grpc } = probe;
  if (httpGet !== undefined) {
    const host = `${httpGet.host ?? machine.address}:${httpGet.port}`;
    const url = new URL(`${httpGet.scheme.toLowerCase()}://${host}${httpGet.path.startsWith('/') ? '' : '/'}${httpGet.path}`);
    const answer = machine.answer(httpGet.port, url);
    if (answer?.kind !== 'answer') return `Get "${url.href}": dial tcp ${host}: connect: connection refused`;
    return answer.status >= 200 && answer.status < 400 ? undefined : `received invalid status code: ${answer.status}`;
  }
  if (exec !== undefined) {
    const { exitCode, stderr } = runCommand(machine, exec.command, false);
    return exitCode === 0 ? undefined : `command ${exec.command.join(' ')} exited with ${exitCode}: ${stderr.trim()}`;
  }
  if (grpc !== undefined) {
    const answer = machine.answer(grpc.port, new URL(`http://${machine.address}:${grpc.port}/`));
    return answer === undefined
      ? `failed to connect health check grpc service: dial tcp ${machine.address}:${grpc.port}: connect: connection refused`
      : undefined;
  }
  // A bare connection to a captured port is taken by Envoy itself: it says nothing of the application (recipes, istiod).
  return undefined;
}
