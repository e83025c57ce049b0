import assert from 'node:assert/strict';
import { message, render } from '../../src/mesh/messages.ts';

describe('render', () => {
  const english = { greeting: 'Push {count} files to {vm}' };

  it('fills the places of a text', () => {
    assert.equal(render(message('greeting', { count: 6, vm: 'db-1' }), english), 'Push 6 files to db-1');
  });

  it('falls back to the second bundle, and then to the id', () => {
    assert.equal(render(message('greeting', { count: 1, vm: 'a' }), {}, english), 'Push 1 files to a');
    assert.equal(render(message('unknown.id'), {}, english), 'unknown.id');
  });

  it('leaves a place without a value as it is', () => {
    assert.equal(render(message('greeting', { vm: 'a' }), english), 'Push {count} files to a');
  });
});
