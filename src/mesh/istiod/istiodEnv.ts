import { listAt, textAt } from '../cluster/untrusted.ts';
import type { KubeObject } from '../ports.ts';

/** Settings of istiod itself: variables of its containers (istiod facts 3.2). */

/** Where the containers are in what runs istiod, a Deployment or a Pod. */
export function containersPath({ kind }: KubeObject): readonly string[] {
  return kind === 'Pod' ? ['spec', 'containers'] : ['spec', 'template', 'spec', 'containers'];
}

/** The variable of the first container that has it; undefined where none has. */
export function istiodVariable(istiod: KubeObject, name: string): string | undefined {
  const variable = listAt(istiod, ...containersPath(istiod))
    .flatMap((container) => listAt(container, 'env'))
    .find((one) => textAt(one, 'name') === name);
  return textAt(variable, 'value');
}
