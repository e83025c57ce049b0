import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

type Texts = Record<string, { en: string; 'zh-cn': string }>;

const folder = new URL('../../../l10n/messages/', import.meta.url);
const texts = Object.assign(
  {},
  ...readdirSync(folder).map((name) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Texts),
) as Texts;

function sources(): readonly string[] {
  return ['citadel', 'host', 'cluster', 'lint'].flatMap((room) => {
    const url = new URL(`../../../src/mesh/${room}/`, import.meta.url);
    return readdirSync(url)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, url), 'utf8'));
  });
}

describe('messages of the core', () => {
  const code = sources().join('\n');

  it('have a text for every id', () => {
    const used = [...code.matchAll(/'((?:citadel|cluster|host|package|check)\.[a-z0-9.-]+)'/g)].map((match) => match[1]!);
    const codes = new Set([
      'host.check-failed',
      'citadel.manifest',
      'citadel.secret-invalid',
      'package.defect',
      'host.sudo-refused',
      'host.unit',
      'host.addresses',
      'cluster.balancer-pending-event',
    ]);
    const missing = [...new Set(used)].filter((id) => texts[id] === undefined && texts[`lint.${id}`] === undefined && !codes.has(id));
    assert.deepEqual(missing, []);
  });

  it('have a next step for every problem and finding', () => {
    const problems = [...code.matchAll(/problem\(\s*'([a-z0-9.-]+)'/g)].map((match) => match[1]!).filter((id) => texts[id] !== undefined);
    const findings = [...code.matchAll(/finding\(\s*'(citadel[a-z0-9.-]+)'/g)].map((match) => `lint.${match[1]!}`);
    // The package's next step is the era's own.
    const own = new Set(['package.missing']);
    assert.ok(problems.length > 30 && findings.length > 20);
    assert.deepEqual(
      [...problems, ...findings].filter((id) => !own.has(id) && (texts[id] === undefined || texts[`${id}.next`] === undefined)),
      [],
    );
  });

  it('have the same places in both languages', () => {
    const places = (text: string): string => [...new Set([...text.matchAll(/\{\w+\}/g)].map(([place]) => place))].sort().join();
    assert.deepEqual(
      Object.entries(texts)
        .filter(([, { en, 'zh-cn': chinese }]) => places(en) !== places(chinese) || en === '' || chinese === '')
        .map(([id]) => id),
      [],
    );
  });
});
