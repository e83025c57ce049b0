import * as vscode from 'vscode';

/** Context keys of the extension's `when` clauses. A host test holds this list against package.json. */
export interface ContextKeys {
  /** What the tree's root is: `none` where there is neither a context nor a cluster. */
  'meshExpansion.roots': 'some' | 'none';
  'meshExpansion.playground': boolean;
  /** True once the inventory was read and holds no VM. */
  'meshExpansion.noVms': boolean;
  'meshExpansion.noServices': boolean;
  /** `none` once every cluster was read and none makes VMs from workload groups. */
  'meshExpansion.groups': 'some' | 'none';
}

export const contextKeyNames: readonly (keyof ContextKeys)[] = [
  'meshExpansion.roots',
  'meshExpansion.playground',
  'meshExpansion.noVms',
  'meshExpansion.noServices',
  'meshExpansion.groups',
];

export interface ContextSetter {
  set<K extends keyof ContextKeys>(key: K, value: ContextKeys[K]): void;
}

/** Sets a key only when its value changes. */
export function createContextSetter(): ContextSetter {
  const known = new Map<string, unknown>();
  return {
    set: (key, value) => {
      if (known.get(key) === value) return;
      known.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    },
  };
}
