import { asMeshError } from '../mesh/errors.ts';
import type { Output, TargetResult } from './output.ts';

/** One target's work; what goes wrong in it is that target's result, and the others go on. */
export async function attempt(
  output: Output,
  target: { readonly vm: string } | { readonly cluster: string },
  work: () => Promise<TargetResult>,
): Promise<TargetResult> {
  try {
    return await work();
  } catch (thrown) {
    const error = asMeshError(thrown);
    output.error(error, 'vm' in target ? target.vm : target.cluster);
    return { ...target, ...output.failure(error) };
  }
}
