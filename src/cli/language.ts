import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { render, type Message, type MessageBundle } from '../mesh/messages.ts';

export type Language = 'en' | 'zh-cn';

/** Renders the core's messages for a person. */
export interface Texts {
  readonly language: Language;
  (text: Message): string;
}

/** The language of LC_ALL, LC_MESSAGES or LANG: Simplified Chinese where it names that, else English. */
export function languageOf(env: Readonly<Record<string, string | undefined>>): Language {
  const locale = [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((value) => value !== undefined && value !== '') ?? '';
  return /^zh([_-](cn|sg|hans\b)|[.@]|$)/i.test(locale) ? 'zh-cn' : 'en';
}

export function loadTexts(language: Language): Texts {
  const english = loadBundle('en');
  const bundle = language === 'en' ? english : loadBundle(language);
  return Object.assign((text: Message) => render(text, bundle, english), { language });
}

/** In a checkout the sources of the texts, which no build can leave behind; in a package the built bundle. */
function loadBundle(language: Language): MessageBundle {
  const folder = path.join(packageFolder(), 'l10n');
  const sources = path.join(folder, 'messages');
  if (!existsSync(sources))
    return readJson(path.join(folder, language === 'en' ? 'bundle.l10n.json' : `bundle.l10n.${language}.json`)) as MessageBundle;
  const entries = readdirSync(sources)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => Object.entries(readJson(path.join(sources, name)) as Record<string, Partial<Record<Language, string>>>));
  return Object.fromEntries(
    entries.flatMap(([id, byLanguage]) => (byLanguage[language] === undefined ? [] : [[id, byLanguage[language]]])),
  );
}

export function packageVersion(): string {
  return (readJson(path.join(packageFolder(), 'package.json')) as { readonly version: string }).version;
}

/** The folder of the package.json above this file, be it src/cli/language.ts or dist/cli.cjs. */
function packageFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, 'package.json')) && path.dirname(folder) !== folder) folder = path.dirname(folder);
  return folder;
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8'));
}
