import assert from 'node:assert/strict';
import { packExtension } from '../../scripts/package.mjs';
import { Form } from './form.ts';
import { labPlace } from './places.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

describe('the workbench in Chinese, on the lab', function () {
  this.timeout(240_000);
  let workbench: Workbench | undefined;

  before(async () => {
    const { options } = await labPlace();
    workbench = await startWorkbench({ ...options, locale: 'zh-cn', vsix: await packExtension({ reuse: true }) });
  });

  after(async () => {
    await workbench?.close();
  });

  it('names the container, the tree and its states', async () => {
    assert.ok(workbench);
    await workbench.openContainer('网格扩展');
    await workbench.treeItem(/^lab-viewer/).waitFor();
    await workbench.expand(/^lab\b/);
    await workbench
      .treeItem(/负载均衡器/)
      .first()
      .waitFor({ timeout: 60_000 });
    await workbench
      .treeItem(/已注册的服务/)
      .first()
      .waitFor();
  });

  it('runs a command by its Chinese title and opens the form in Chinese', async () => {
    assert.ok(workbench);
    await workbench.command('网格扩展: 加入虚拟机');
    const form = new Form(workbench);
    await form.open('加入虚拟机');
    await form.field('namespace').waitFor();
    assert.match(await form.preview(), /将要执行的操作/);
  });

  it('leads the keyboard to the first wrong field, says there and at once what is wrong, and keeps the focus while the steps are read', async () => {
    assert.ok(workbench);
    const { keyboard } = workbench.page;
    const form = new Form(workbench);
    await form.field('submit').focus();
    await keyboard.press('Enter');
    await form.focused('hosts-0');
    assert.match(await form.description('hosts-0'), /请至少选择一台主机/);
    assert.match(await form.alert(), /请至少选择一台主机/);
    await keyboard.press('Space');
    await form.field('hosts-problem').waitFor({ state: 'hidden' });
    await form.field('submit').focus();
    await keyboard.press('Enter');
    await form.focused('namespace');
    assert.match(await form.description('namespace'), /请填写命名空间/);
    await keyboard.type('vm');
    await form.field('submit').focus();
    await form.settled();
    await form.focused('submit');
  });

  it('keeps the button in place while the steps are read again: it may be pressed in that moment', async () => {
    assert.ok(workbench);
    const form = new Form(workbench);
    const button = await form.field('submit').elementHandle();
    await form.type('namespace', 'onprem');
    await form.reading();
    await form.settled();
    assert.equal(await button.evaluate((node: { readonly isConnected: boolean }) => node.isConnected), true);
  });

  it('closes the form by Escape, and gives the keyboard back to the tree', async () => {
    assert.ok(workbench);
    await workbench.page.keyboard.press('Escape');
    await new Form(workbench).closed();
    await workbench.page.locator('.sidebar .monaco-list:focus').waitFor({ timeout: 5000 });
  });
});
