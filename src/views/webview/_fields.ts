import type { Field, FieldValue, FromPage, Row } from '../forms/protocol.ts';
import { element } from './_dom.ts';

/** One field on the page. */
export interface FieldView {
  readonly id: string;
  readonly node: HTMLElement;
  value(): FieldValue;
  /** Shows a value; the field that is being typed in is left alone. */
  show(value: FieldValue | undefined): void;
  problem(text: string): void;
  first(): HTMLElement | null;
}

type Send = (message: FromPage) => void;
interface Control {
  readonly node: HTMLElement;
  readonly value: () => FieldValue;
  readonly show: (value: FieldValue | undefined) => void;
}

export function fieldView(field: Field, changed: () => void, send: Send): FieldView {
  const control = controlOf(field, changed, send);
  const help = element('p', { class: 'help', id: `${field.id}-help` }, [field.help]);
  const problem = element('p', { class: 'problem', id: `${field.id}-problem` });
  const group = field.kind === 'checklist' || field.kind === 'rows';
  const required = field.required === true ? [element('span', { class: 'required', 'aria-hidden': 'true' }, [' *'])] : [];
  const label = group ? element('legend', {}, [field.label, ...required]) : element('label', { for: field.id }, [field.label, ...required]);
  const node = element(
    group ? 'fieldset' : 'div',
    { class: 'field', ...(group ? { 'aria-describedby': `${field.id}-help ${field.id}-problem` } : {}) },
    [label, control.node, help, problem],
  );
  const inputs = () => [...node.querySelectorAll<HTMLElement>('input, select, textarea')];
  /** Inputs of a group come and go; each says itself what is wrong, for not every reader says what a group is described by. */
  const mark = () => {
    const wrong = problem.textContent !== '';
    node.classList.toggle('wrong', wrong);
    for (const input of inputs()) {
      input.setAttribute('aria-invalid', String(wrong));
      if (group && wrong) input.setAttribute('aria-describedby', problem.id);
      else if (group) input.removeAttribute('aria-describedby');
    }
  };
  return {
    id: field.id,
    node,
    value: control.value,
    show: control.show,
    problem: (text) => {
      problem.textContent = text;
      mark();
    },
    first: () => inputs()[0] ?? node.querySelector<HTMLElement>('[tabindex]'),
  };
}

function controlOf(field: Field, changed: () => void, send: Send): Control {
  switch (field.kind) {
    case 'text':
      return textControl(field, changed, send);
    case 'lines':
      return linesControl(field, changed);
    case 'choice':
      return choiceControl(field, changed, send);
    case 'checklist':
      return checklistControl(field, changed);
    case 'rows':
      return rowsControl(field, changed);
  }
}

function described(field: Field): Readonly<Record<string, string>> {
  return {
    id: field.id,
    'aria-describedby': `${field.id}-help ${field.id}-problem`,
    ...(field.required === true ? { 'aria-required': 'true' } : {}),
  };
}

/** Sets a value without moving the cursor of who is typing. */
function put(input: HTMLInputElement | HTMLTextAreaElement, value: FieldValue | undefined): void {
  const text = typeof value === 'string' ? value : '';
  if (document.activeElement !== input && input.value !== text) input.value = text;
}

function textControl(field: Extract<Field, { kind: 'text' }>, changed: () => void, send: Send): Control {
  const input = element('input', {
    ...described(field),
    type: 'text',
    spellcheck: 'false',
    autocomplete: 'off',
    placeholder: field.placeholder ?? '',
  });
  input.addEventListener('input', changed);
  return { node: withBrowse(input, field, send), value: () => input.value, show: (text) => put(input, text) };
}

function linesControl(field: Extract<Field, { kind: 'lines' }>, changed: () => void): Control {
  const area = element('textarea', { ...described(field), rows: '3', spellcheck: 'false', placeholder: field.placeholder ?? '' });
  area.addEventListener('input', changed);
  return { node: area, value: () => area.value, show: (text) => put(area, text) };
}

function choiceControl(field: Extract<Field, { kind: 'choice' }>, changed: () => void, send: Send): Control {
  const options = field.choices.map(({ value, label, description }) =>
    element('option', { value }, [description === undefined ? label : `${label} - ${description}`]),
  );
  const select = element('select', described(field), options);
  select.addEventListener('change', changed);
  return {
    node: withBrowse(select, field, send),
    value: () => select.value,
    show: (value) => (select.value = typeof value === 'string' ? value : ''),
  };
}

/** A control with the button beside it that its field asks for. */
function withBrowse(control: HTMLElement, { id, browse }: { readonly id: string; readonly browse?: string }, send: Send): HTMLElement {
  if (browse === undefined) return control;
  const button = element('button', { type: 'button', class: 'secondary' }, [browse]);
  button.addEventListener('click', () => send({ type: 'browse', field: id }));
  return element('div', { class: 'with-button' }, [control, button]);
}

function checklistControl(field: Extract<Field, { kind: 'checklist' }>, changed: () => void): Control {
  const rows = field.choices.map((choice, index) => {
    const box = element('input', { type: 'checkbox', id: `${field.id}-${index}`, value: choice.value });
    const label = element('label', { for: `${field.id}-${index}` }, [
      choice.label,
      element('span', { class: 'description' }, [` ${choice.description ?? ''}`]),
    ]);
    box.addEventListener('change', changed);
    return {
      box,
      node: element('div', { class: 'check' }, [box, label]),
      text: `${choice.label} ${choice.description ?? ''}`.toLowerCase(),
    };
  });
  const list = element(
    'div',
    { class: 'checklist' },
    rows.length === 0 ? [element('p', { class: 'help', tabindex: '0' }, [field.empty])] : rows.map(({ node }) => node),
  );
  const filter = element('input', { type: 'search', id: `${field.id}-filter`, placeholder: field.filter, 'aria-label': field.filter });
  filter.addEventListener('input', () => {
    const words = filter.value.toLowerCase();
    for (const row of rows) row.node.hidden = !row.box.checked && !row.text.includes(words);
  });
  return {
    node: element('div', {}, rows.length > 8 ? [filter, list] : [list]),
    value: () => rows.filter(({ box }) => box.checked).map(({ box }) => box.value),
    show: (value) => {
      const chosen = new Set(Array.isArray(value) ? value.map(String) : []);
      for (const { box } of rows) box.checked = chosen.has(box.value);
    },
  };
}

function rowsControl(field: Extract<Field, { kind: 'rows' }>, changed: () => void): Control {
  const body = element('div', { class: 'rows' });
  const read = (): Row[] =>
    [...body.children].map((line) =>
      Object.fromEntries([...line.querySelectorAll('input')].map((input) => [input.dataset.column ?? '', input.value])),
    );
  const lineOf = (row: Row, position: number) => {
    const inputs = field.columns.map((column) => {
      const name = `${column.label} ${position + 1}`;
      const input = element('input', {
        type: 'text',
        id: `${field.id}-${position}-${column.id}`,
        'data-column': column.id,
        'aria-label': name,
        placeholder: column.placeholder ?? '',
        title: column.label,
        spellcheck: 'false',
      });
      input.value = row[column.id] ?? '';
      input.addEventListener('input', changed);
      return input;
    });
    const remove = element(
      'button',
      { type: 'button', class: 'secondary', 'aria-label': `${field.remove} ${position + 1}`, title: field.remove },
      ['×'],
    );
    remove.addEventListener('click', () => {
      draw(read().filter((_, index) => index !== position));
      changed();
    });
    return element('div', { class: `row of-${field.columns.length}` }, [...inputs, remove]);
  };
  const draw = (rows: readonly Row[]) => body.replaceChildren(...(rows.length === 0 ? [{}] : rows).map(lineOf));
  const add = element('button', { type: 'button', class: 'secondary' }, [field.add]);
  add.addEventListener('click', () => {
    draw([...read(), {}]);
    body.lastElementChild?.querySelector('input')?.focus();
    changed();
  });
  const head = element(
    'div',
    { class: `row head of-${field.columns.length}`, 'aria-hidden': 'true' },
    field.columns.map((column) => element('span', {}, [column.label])),
  );
  return {
    node: element('div', {}, [head, body, add]),
    value: read,
    show: (value) => {
      const rows = Array.isArray(value) ? value.filter((one): one is Row => typeof one === 'object') : [];
      if (body.contains(document.activeElement) && body.childElementCount === Math.max(rows.length, 1)) return;
      if (JSON.stringify(rows) !== JSON.stringify(read()) || body.childElementCount === 0) draw(rows);
    },
  };
}
