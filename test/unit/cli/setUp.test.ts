import assert from 'node:assert/strict';
import { Output } from '../../../src/cli/output.ts';
import { loadTexts } from '../../../src/cli/language.ts';
import type { Session } from '../../../src/cli/session.ts';
import { setUp } from '../../../src/cli/setUp.ts';
import { MeshError } from '../../../src/mesh/errors.ts';
import { message } from '../../../src/mesh/messages.ts';

const HELM = `helm install istio-eastwestgateway istio/gateway --set-json 'service.ports=[]'`;
const missing = new MeshError({ code: 'istiod.gateway-missing', userMessage: message('istiod.gateway-missing', { name: 'a/b' }) });

/** A cluster without a gateway, as far as `cluster setup` asks for it. */
function session(told: string[], commands?: readonly object[]): Session {
  const output = new Output(loadTexts('en'), true, { out: () => undefined, err: (line) => told.push(line) });
  const mesh = { setupPreview: async () => ({ commands }), planSetup: () => Promise.reject(missing) };
  const inventory = { clusters: [{ name: 'prod' }], vms: [], services: [] };
  return { output, mesh, inventory, signal: new AbortController().signal, options: { inventory: 'x', yes: true } } as unknown as Session;
}

describe('cluster setup', () => {
  it('tells what others have to install by the very command lines, also where that keeps it from planning', async () => {
    const told: string[] = [];
    const options = { inventory: 'x', cluster: 'prod', yes: true };
    const [result] = await setUp(session(told, [{ title: message('istiod.gateway.helm'), commandLine: HELM }]), options);
    assert.deepEqual(told.slice(0, 2), ['Install the gateway with Helm:\n', `  ${HELM}\n`]);
    assert.match(told[2] ?? '', /There is no gateway a\/b/);
    assert.equal(result?.error?.code, 'istiod.gateway-missing');
    assert.deepEqual(result.commands, [{ title: 'Install the gateway with Helm', commandLine: HELM }]);
    const [without] = await setUp(session([]), options);
    assert.ok(without !== undefined && !('commands' in without));
  });
});
