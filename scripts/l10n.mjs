// Merges l10n/messages/*.json into l10n/bundle.l10n.json and bundle.l10n.zh-cn.json, and checks every message id that the source uses.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const languages = { en: 'bundle.l10n.json', 'zh-cn': 'bundle.l10n.zh-cn.json' };

const placesOf = (text) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]))].sort();

/** Texts by language and id, and what is wrong with them. */
export function readMessages(folder = path.join(root, 'l10n/messages')) {
  const bundles = { en: {}, 'zh-cn': {} };
  const problems = [];
  const homes = new Map();
  for (const name of readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()) {
    const texts = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
    for (const [id, byLanguage] of Object.entries(texts)) {
      if (homes.has(id)) problems.push(`${name}: ${id} is also in ${homes.get(id)}`);
      homes.set(id, name);
      for (const language of Object.keys(languages)) {
        const text = byLanguage[language];
        if (typeof text !== 'string' || text.trim() === '') problems.push(`${name}: ${id} has no ${language} text`);
        else bundles[language][id] = text;
      }
      const [english, chinese] = [placesOf(String(byLanguage.en)), placesOf(String(byLanguage['zh-cn']))];
      if (english.join() !== chinese.join())
        problems.push(`${name}: ${id} has places {${english.join('} {')}} in en and {${chinese.join('} {')}} in zh-cn`);
    }
  }
  return { bundles, problems };
}

/** Ids written as message('id', ...) or t('id', ...) in the source, with the first place each is used. */
export function usedIds(folder = path.join(root, 'src')) {
  const used = new Map();
  for (const { file, text } of sources(folder))
    for (const [, id] of text.matchAll(/\b(?:message|t)\(\s*'([^'$]+)'/g)) if (!used.has(id)) used.set(id, file);
  return used;
}

/**
 * Ids that nothing in the source can name: neither in quotes, nor by a template. `ssh.${rule}.next` names what has quoted words or keys of the source in its places;
 * `${id}.next` names what goes on from an id that is named.
 */
export function unusedIds(ids, folder = path.join(root, 'src')) {
  const known = new Set(ids);
  const text = sources(folder)
    .map((source) => source.text)
    .join('\n');
  const quoted = new Set([...text.matchAll(/'([\w.-]+)'/g)].map(([, word]) => word));
  const keys = [...text.matchAll(/(\w+)\??:/g)].map(([, word]) => word);
  const words = new Set([...keys, ...[...quoted].flatMap((word) => word.split(/[.-]/))]);
  const templates = [...new Set([...text.matchAll(/`((?:[\w.-]|\$\{[^`{}]+\})+)`/g)].map(([, template]) => template))]
    .filter((template) => template.includes('${') && template.replaceAll(/\$\{[^}]+\}/g, '').includes('.'))
    .map((template) => ({
      pattern: new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{[^}]+\}/g, '([\\w.-]+)')}$`),
      fits: template.startsWith('${')
        ? (part) => known.has(part) && isUsed(part)
        : (part) => part.split(/[.-]/).every((word) => words.has(word)),
    }));
  const isUsed = (id) => quoted.has(id) || templates.some(({ pattern, fits }) => pattern.exec(id)?.slice(1).every(fits) === true);
  return ids.filter((id) => !isUsed(id));
}

function sources(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.m?ts$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file: path.relative(root, file), text: readFileSync(file, 'utf8') }));
}

/** Writes the bundles. An id without a text, and a text without a use, is told on stderr, or thrown with `strict`. */
export function writeBundles({ strict = false } = {}) {
  const { bundles, problems } = readMessages();
  for (const [id, file] of usedIds()) if (!(id in bundles.en)) problems.push(`${file}: message '${id}' has no text in l10n/messages`);
  for (const id of unusedIds(Object.keys(bundles.en))) problems.push(`l10n/messages: nothing in src uses ${id}`);
  for (const [language, file] of Object.entries(languages)) {
    const sorted = Object.fromEntries(Object.entries(bundles[language]).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(path.join(root, 'l10n', file), `${JSON.stringify(sorted, null, 2)}\n`);
  }
  if (problems.length > 0) {
    const text = `Messages:\n  ${problems.join('\n  ')}\n`;
    if (strict) throw new Error(text);
    process.stderr.write(text);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    writeBundles({ strict: true });
  } catch (error) {
    process.stderr.write(String(error.message));
    process.exitCode = 1;
  }
}
