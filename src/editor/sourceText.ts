import type { ValueSource } from '../mesh/model.ts';
import { ago } from './durations.ts';
import type { Texts } from './texts.ts';

/** Where a value came from, in words. */
export function sourceText(source: ValueSource, { t }: Texts): string {
  const { from } = source;
  const read = ago(source.readAt);
  const when = read === undefined ? '' : `, ${t('editor.source.read', { age: read })}`;
  switch (from.kind) {
    case 'object':
      return `${t('editor.source.object', { field: from.field, object: `${from.object.namespace === undefined ? '' : `${from.object.namespace}/`}${from.object.name}`, kind: from.object.kind })}${when}`;
    case 'inventory':
      return t('editor.source.inventory', { field: from.field });
    case 'host':
      return `${t('editor.source.host', { field: from.field })}${when}`;
    case 'rule':
      return t('editor.source.rule', { facts: from.facts });
  }
}
