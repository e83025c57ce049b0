import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';

const texts = JSON.parse(readFileSync(new URL('../../../../l10n/messages/citadel.json', import.meta.url), 'utf8')) as Record<
  string,
  { en: string; 'zh-cn': string }
>;

function sources(): readonly string[] {
  return ['citadel', 'lint'].flatMap((folder) => {
    const url = new URL(`../../../../src/mesh/${folder}/`, import.meta.url);
    return readdirSync(url)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, url), 'utf8'));
  });
}

describe('citadel messages', () => {
  const code = sources().join('\n');

  it('have a text for every id', () => {
    const used = [...code.matchAll(/'((?:citadel|cluster)\.[a-z0-9.-]+)'/g)].map((match) => match[1]!);
    const codes = new Set([
      'citadel.check-failed',
      'citadel.manifest',
      'citadel.secret-invalid',
      'citadel.package.defect',
      'cluster.balancer-pending-event',
    ]);
    const missing = [...new Set(used)].filter((id) => texts[id] === undefined && texts[`lint.${id}`] === undefined && !codes.has(id));
    assert.deepEqual(missing, []);
  });

  it('have a next step for every problem and finding', () => {
    const problems = [...code.matchAll(/problem\(\s*'([a-z0-9.-]+)'/g)].map((match) => match[1]!).filter((id) => texts[id] !== undefined);
    const findings = [...code.matchAll(/finding\(\s*'(citadel[a-z0-9.-]+)'/g)].map((match) => `lint.${match[1]!}`);
    assert.ok(problems.length > 30 && findings.length > 20);
    assert.deepEqual(
      [...problems, ...findings].filter((id) => texts[id] === undefined || texts[`${id}.next`] === undefined),
      [],
    );
  });

  it('have the same places in both languages', () => {
    const places = (text: string): string =>
      [...text.matchAll(/\{\w+\}/g)]
        .map(([place]) => place)
        .sort()
        .join();
    assert.deepEqual(
      Object.entries(texts)
        .filter(([, { en, 'zh-cn': chinese }]) => places(en) !== places(chinese) || en === '' || chinese === '')
        .map(([id]) => id),
      [],
    );
  });
});
