import type { LoadBalancer } from '../model.ts';
import type { CallOptions, ClusterApi, ObjectRef } from '../ports.ts';
import { textAt } from './untrusted.ts';

/** Newest first; times count in seconds, and of the same second the warning tells more. No events where the account may not read them: they only explain. */
export async function serviceEvents(api: ClusterApi, ref: ObjectRef, options: CallOptions): Promise<LoadBalancer['events']> {
  const fieldSelector = `involvedObject.kind=Service,involvedObject.name=${ref.name}`;
  const events = await api
    .list({ apiVersion: 'v1', kind: 'Event', namespace: ref.namespace, fieldSelector }, options)
    .catch((error: unknown) => {
      if (options.signal?.aborted === true) throw error;
      return [];
    });
  return events
    .filter((event) => textAt(event, 'involvedObject', 'name') === ref.name && textAt(event, 'involvedObject', 'kind') === 'Service')
    .map((event) => ({
      reason: textAt(event, 'reason') ?? '',
      text: textAt(event, 'message') ?? '',
      time: textAt(event, 'lastTimestamp') ?? textAt(event, 'eventTime') ?? event.metadata.creationTimestamp ?? '',
      warns: textAt(event, 'type') === 'Warning',
    }))
    .sort((one, other) => other.time.localeCompare(one.time) || Number(other.warns) - Number(one.warns))
    .map(({ reason, text, time }) => ({ reason, text, time }));
}
