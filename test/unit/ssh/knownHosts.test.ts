import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {
  entriesFor,
  fingerprint,
  hostKeyStatus,
  keyType,
  knownHostsLine,
  knownKeyTypes,
  parseKnownHosts,
  rsaBits,
} from '../../../src/ssh/knownHosts.ts';

/** Keys and files made by OpenSSH's own ssh-keygen, which is also asked what is right. */
describe('known_hosts', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'known-hosts-'));
  after(() => rmSync(directory, { recursive: true, force: true }));

  function makeKey(name: string, ...type: string[]): { readonly line: string; readonly blob: Buffer; readonly file: string } {
    const file = path.join(directory, name);
    execFileSync('ssh-keygen', ['-q', ...type, '-N', '', '-C', '', '-f', file]);
    const line = readFileSync(`${file}.pub`, 'utf8').trim();
    return { line, blob: Buffer.from(line.split(' ')[1] ?? '', 'base64'), file };
  }
  const one = makeKey('one', '-t', 'ed25519');
  const two = makeKey('two', '-t', 'ed25519');
  const ecdsa = makeKey('ecdsa', '-t', 'ecdsa', '-b', '384');
  const rsa = makeKey('rsa', '-t', 'rsa', '-b', '2048');
  const status = (text: string, key = one, host = 'db.example.com', port = 22): string => {
    const name = { host, port };
    const found = hostKeyStatus(parseKnownHosts(text), name, key.blob);
    assert.equal(hostKeyStatus(entriesFor(parseKnownHosts(text), name), name, key.blob), found, 'what speaks of others does not count');
    return found;
  };

  it('matches a name, one of several, and a pattern; not what is negated', () => {
    assert.equal(status(`db.example.com ${one.line}`), 'match');
    assert.equal(status(`10.0.0.1,DB.Example.COM ${one.line}`), 'match');
    assert.equal(status(`*.example.com ${one.line}`), 'match');
    assert.equal(status(`d?.example.com ${one.line}`), 'match');
    assert.equal(status(`*.example.com,!db.example.com ${one.line}`), 'unknown');
    assert.equal(status(`dbXexample.com ${one.line}`), 'unknown', 'a dot is a dot');
    assert.equal(status(`db.example.com.evil ${one.line}`), 'unknown');
  });

  it('takes lines with comments, CRLF and tabs, and passes over what is not one', () => {
    assert.equal(status(`# db.example.com ${two.line}\r\n\r\ngarbage\r\n \tdb.example.com\t${one.line} me@here\r\n`), 'match');
    assert.equal(status(`@unknown-marker db.example.com ${two.line}`), 'unknown');
  });

  it('calls another key of the same type a mismatch, of another type unknown', () => {
    assert.equal(status(`db.example.com ${two.line}`), 'mismatch');
    assert.equal(status(`db.example.com ${ecdsa.line}`), 'unknown');
    assert.equal(status(`db.example.com ${two.line}\ndb.example.com ${one.line}`), 'match');
  });

  it('refuses a revoked key wherever the line stands', () => {
    assert.equal(status(`db.example.com ${one.line}\n@revoked * ${one.line}`), 'revoked');
    assert.equal(status(`@revoked * ${two.line}\ndb.example.com ${one.line}`), 'match');
    assert.equal(
      status(`[db.example.com]:2222 ${one.line}\n@revoked db.example.com ${one.line}`, one, 'db.example.com', 2222),
      'match',
      'as ssh: the name with its port is what is revoked',
    );
    assert.equal(status(`@revoked db.example.com ${one.line}`, one, 'db.example.com', 2222), 'revoked');
  });

  it('names a certificate authority only where no plain key is known', () => {
    assert.equal(status(`@cert-authority *.example.com ${two.line}`), 'ca-only');
    assert.equal(status(`@cert-authority *.example.com ${two.line}\ndb.example.com ${one.line}`), 'match');
  });

  it('looks up another port by [name]:port, and falls back to a match of the plain name only', () => {
    assert.equal(status(`[db.example.com]:2222 ${one.line}`, one, 'db.example.com', 2222), 'match');
    assert.equal(status(`[db.example.com]:2222 ${one.line}`), 'unknown');
    assert.equal(status(`db.example.com ${one.line}`, one, 'db.example.com', 2222), 'match');
    assert.equal(status(`db.example.com ${two.line}`, one, 'db.example.com', 2222), 'unknown');
  });

  it('reads the names that ssh-keygen hashes, and hashes as it does', () => {
    const file = path.join(directory, 'hashed');
    writeFileSync(file, `db.example.com ${one.line}\n[db.example.com]:2222 ${two.line}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const hashed = readFileSync(file, 'utf8');
    assert.ok(!hashed.includes('db.example.com'));
    assert.equal(status(hashed), 'match');
    assert.equal(status(hashed, two), 'mismatch');
    assert.equal(status(hashed, two, 'db.example.com', 2222), 'match');
    assert.equal(status(hashed, one, 'other.example.com'), 'unknown');
    const ours = path.join(directory, 'ours');
    writeFileSync(ours, `${knownHostsLine({ host: 'DB.example.com', port: 2222 }, one.blob, true)}\n`);
    assert.match(execFileSync('ssh-keygen', ['-F', '[db.example.com]:2222', '-f', ours], { encoding: 'utf8' }), /found: line 1/);
  });

  it('prints fingerprints, types and sizes as ssh-keygen does', () => {
    for (const key of [one, ecdsa, rsa]) {
      const [bits, print] = execFileSync('ssh-keygen', ['-l', '-f', `${key.file}.pub`], { encoding: 'utf8' }).split(' ');
      assert.equal(fingerprint(key.blob), print);
      assert.equal(keyType(key.blob), key.line.split(' ')[0]);
      assert.equal(rsaBits(key.blob), key === rsa ? Number(bits) : undefined);
    }
    assert.equal(keyType(Buffer.from('x')), '');
  });

  it('lists the types to ask the server for', () => {
    const text = `db.example.com ${ecdsa.line}\n[db.example.com]:2222 ${rsa.line}\n@revoked db.example.com ${one.line}\nother ${two.line}`;
    assert.deepEqual(knownKeyTypes(parseKnownHosts(text), { host: 'db.example.com', port: 22 }), ['ecdsa-sha2-nistp384']);
    assert.deepEqual(knownKeyTypes(parseKnownHosts(text), { host: 'db.example.com', port: 2222 }), ['ecdsa-sha2-nistp384', 'ssh-rsa']);
  });
});
