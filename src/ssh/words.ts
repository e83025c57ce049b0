import { hostError } from './errors.ts';

const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * One word of a POSIX shell line that stands for exactly this text.
 * Own code on purpose: shescape quotes for a shell of this computer (it has none for POSIX sh on Windows) and drops characters,
 * shell-quote writes `\!` inside double quotes, which sh keeps as two characters. Throws `host.word` for NUL, which no argument can hold.
 */
export function word(text: string): string {
  if (text.includes('\0')) throw hostError('host.word', { value: text.replaceAll('\0', '\\0') });
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function words(texts: readonly string[]): string {
  return texts.map(word).join(' ');
}

/** Accepts what can be an SSH destination; throws `host.name` for a leading `-`, control, shell or path characters (design: Hostile names). */
export function checkAlias(alias: string): string {
  const name = alias.slice(alias.indexOf('@') + 1);
  if (!/^[\p{L}\p{N}_.:@%+[\]-]{1,255}$/u.test(alias) || alias.startsWith('-') || name.startsWith('-') || name === '') {
    throw hostError('host.name', { value: alias.replace(CONTROL, '?') }, { field: 'host' });
  }
  return alias;
}

/** Accepts an absolute, normal path on the VM that names something below `/`; throws `host.path`. */
export function checkPath(path: string): string {
  const segments = path.split('/').slice(1);
  const normal = path.startsWith('/') && segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (!normal || CONTROL.test(path) || path.length > 1024)
    throw hostError('host.path', { path: path.replace(CONTROL, '?') }, { field: 'path' });
  return path;
}

/** Accepts a plain name (unit, package, user, program): no leading `-`, no control, space, shell or path characters; throws `host.word`. */
export function checkName(name: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,254}$/.test(name)) throw hostError('host.word', { value: name.replace(CONTROL, '?') });
  return name;
}

/** Accepts a user or group name as useradd(8) makes them; throws `host.word`. */
export function checkAccount(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/.test(name)) throw hostError('host.word', { value: name.replace(CONTROL, '?') });
  return name;
}
