import type { GeneratedFile, ValueSource } from '../model.ts';
import { HOSTS, UNIT } from './paths.ts';

/** The line of istiod in /etc/hosts (istiod facts 1.7), which is changed in its place and never appended twice. */

/** The file with istiod's line; `onHost`: what is there, undefined offline, where the line stands alone. */
export function hostsFile(name: string, address: ValueSource, onHost: string | undefined): GeneratedFile {
  const own = ours(name, address.value);
  return { ...fileOf(merged(onHost ?? '', name, address.value), (line) => (line === own ? address : kept)), ownLines: [own] };
}

/** The file without the lines that an earlier push has put there; one that a person wrote stays. */
export function hostsFileWithout(ownLines: readonly string[], onHost: string): GeneratedFile {
  return fileOf(
    linesOf(onHost).filter((one) => !ownLines.includes(one)),
    () => kept,
  );
}

const kept: ValueSource = { value: HOSTS, from: { kind: 'host', field: HOSTS } };

function fileOf(lines: readonly string[], sourceOf: (line: string) => ValueSource): GeneratedFile {
  return {
    path: HOSTS,
    mode: 0o644,
    owner: 'root',
    group: 'root',
    content: {
      kind: 'text',
      text: lines.map((line) => `${line}\n`).join(''),
      sources: lines.map((line) => [sourceOf(line)]),
    },
    readBy: [UNIT],
    editable: false,
  };
}

/** The address that the file has for the name now. */
export function presentAddress(text: string, name: string): string | undefined {
  const line = text.split('\n').find((one) => namesOf(one).includes(name));
  return line?.trim().split(/\s+/)[0];
}

function ours(name: string, address: string): string {
  return `${address} ${name}`;
}

/** Every other line stays as it is; the name leaves lines that it shares. */
function merged(text: string, name: string, address: string): readonly string[] {
  const lines = linesOf(text);
  const line = ours(name, address);
  const first = lines.findIndex((one) => isOnly(one, name));
  const left = lines.flatMap((one, index) => (index === first ? [line] : leaving(one, name)));
  return first < 0 ? [...left, line] : left;
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** What is left of a line without the name. */
function leaving(line: string, name: string): readonly string[] {
  if (!namesOf(line).includes(name)) return [line];
  return isOnly(line, name) ? [] : [without(line, name)];
}

/** A line for this name and no other. */
function isOnly(line: string, name: string): boolean {
  const names = namesOf(line);
  return names.length === 1 && names[0] === name;
}

/** Names of a line, without its comment. */
function namesOf(line: string): readonly string[] {
  return (line.split('#')[0] ?? '').trim().split(/\s+/).slice(1);
}

function without(line: string, name: string): string {
  const [entry = '', ...comment] = line.split('#');
  const [address = '', ...names] = entry.trim().split(/\s+/);
  const left = [address, ...names.filter((one) => one !== name)].join(' ');
  return comment.length === 0 ? left : `${left} #${comment.join('#')}`;
}
