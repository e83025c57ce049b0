import * as vscode from 'vscode';
import type { Node } from '../views/nodes.ts';
import type { Command } from './command.ts';

export const copyAddress: Command = () => async (node) => {
  const address = typeof node === 'object' && node !== null && 'kind' in node ? addressOf(node as Node) : undefined;
  if (address !== undefined) await vscode.env.clipboard.writeText(address);
};

function addressOf(node: Node): string | undefined {
  switch (node.kind) {
    case 'loadBalancer':
      return node.balancer.address;
    case 'vm':
      return node.vm.address;
    case 'service':
      return node.registered?.clusterIp;
    case 'endpoint':
      return node.address;
    case 'unmanaged':
      return node.machine.address;
    default:
      return undefined;
  }
}
