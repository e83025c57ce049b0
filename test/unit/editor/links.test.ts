import assert from 'node:assert/strict';
import { createTexts } from '../../../src/editor/texts.ts';
import { message } from '../../../src/mesh/messages.ts';

// What the editor's notifications and input boxes take for a link (vs/base/common/linkedText.ts).
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;

describe('values in texts of the editor', () => {
  const texts = createTexts('en', () => ({ said: '{host} said: {text}', sum: '{count} of {count}' }));

  it('make no link of what a machine said', () => {
    const text =
      'failed, [details](command:workbench.action.terminal.sendSequence?%7B%22text%22%3A%22id%22%7D) and [more](https://example.org)';
    assert.match(text, link);
    assert.doesNotMatch(texts.say(message('said', { host: 'db-1', text })), link);
    assert.doesNotMatch(texts.t('said', { host: 'db-1', text }), link);
  });

  it('leave other values as they are', () => {
    assert.equal(texts.t('said', { host: 'a[0]', text: 'see (b) [c] /etc/d' }), 'a[0] said: see (b) [c] /etc/d');
    assert.equal(texts.t('sum', { count: 3 }), '3 of 3');
  });
});
