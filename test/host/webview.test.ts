import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { pageHtml, pageRoots } from '../../src/views/forms/page.ts';

describe('the page of the forms', () => {
  const base = vscode.Uri.file('/extension');
  const webview = {
    cspSource: 'https://csp.example',
    asWebviewUri: (uri: vscode.Uri) => uri.with({ scheme: 'https', authority: 'csp.example' }),
  } as vscode.Webview;
  const html = pageHtml(webview, base, 'en', '<Join & "VM">');
  const policy = /http-equiv="Content-Security-Policy"\s+content="([^"]+)"/.exec(html)?.[1]?.replaceAll('&#39;', "'") ?? '';

  it('allows nothing but its own script, by a nonce, and its own styles', () => {
    const rules = new Map(policy.split(';').map((rule) => [rule.trim().split(' ')[0], rule.trim().split(' ').slice(1)]));
    assert.deepEqual(rules.get('default-src'), ["'none'"]);
    const [script = ''] = rules.get('script-src') ?? [];
    assert.match(script, /^'nonce-[A-Za-z0-9+/=_-]{16,}'$/);
    assert.ok(!policy.includes('unsafe'), policy);
    for (const [tag] of html.matchAll(/<script[^>]*>/g)) assert.ok(tag.includes(script.slice(1, -1).replace('nonce-', 'nonce="')), tag);
  });

  it('has another nonce each time', () => {
    assert.notEqual(pageHtml(webview, base, 'en', 'x'), pageHtml(webview, base, 'en', 'x'));
  });

  it('escapes what is put into it', () => {
    assert.ok(!html.includes('<Join'), html);
    assert.ok(html.includes('&lt;Join'), html);
  });

  it('reaches only the built script and the styles', () => {
    assert.deepEqual(
      pageRoots(base).map((uri) => uri.path.replace('/extension/', '')),
      ['dist/webview', 'media'],
    );
  });
});
