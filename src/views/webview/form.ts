import type { FieldValue, FormState, FromPage, ToPage, Values } from '../forms/protocol.ts';
import { element } from './_dom.ts';
import { fieldView, type FieldView } from './_fields.ts';
import { previewView } from './_preview.ts';

/** The page of a form: draws the state that the host sends, and sends back what is typed. It keeps nothing but the form's kind. */

interface VsCodeApi {
  postMessage(message: FromPage): void;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): VsCodeApi;

const host = acquireVsCodeApi();
const send = (message: FromPage) => host.postMessage(message);
const root = document.getElementById('form') ?? document.body;

let shape = '';
let views: readonly FieldView[] = [];
let hidden: Values = {};
const columns = {
  left: element('form', { class: 'fields', novalidate: '' }),
  right: element('aside', { class: 'preview' }),
  bar: element('footer', { class: 'bar' }),
};
const announcer = element('div', { class: 'announce', 'aria-live': 'polite', role: 'status' });
/** What went wrong interrupts; how the preview stands waits for a pause. */
const alarm = element('div', { class: 'announce', role: 'alert' });
/** Fields that were typed in: an empty one is not wrong before. */
const touched = new Set<string>();
let last: FormState | undefined;

function values(): Values {
  return { ...hidden, ...Object.fromEntries(views.map((view) => [view.id, view.value()])) };
}

/** The last change that was sent; a state that does not know it yet must not undo what was typed. */
let sent: number | undefined;

const changed = (id: string) => {
  touched.add(id);
  sent = (sent ?? 0) + 1;
  send({ type: 'change', values: values(), revision: sent });
};

function draw(state: FormState): void {
  last = state;
  host.setState({ kind: state.kind, request: state.request });
  sent ??= state.revision;
  const shown = state.revision === sent ? state.values : { ...state.values, ...values() };
  const wanted = JSON.stringify([state.heading, state.fields]);
  if (wanted !== shape) rebuild(state, shown);
  shape = wanted;
  const drawn = new Set(views.map((view) => view.id));
  hidden = Object.fromEntries(Object.entries(shown).filter(([id]) => !drawn.has(id)));
  for (const view of views) {
    view.show(shown[view.id]);
    view.problem(touched.has(view.id) || holds(shown[view.id]) ? (state.problems[view.id] ?? '') : '');
  }
  redraw(columns.right, previewView(state, send));
  columns.right.setAttribute('aria-label', state.words.whatHappens);
  columns.right.setAttribute('aria-busy', String(state.preview.status === 'working'));
  const next = bar(state);
  // A button that stays as it is stays in place: it may be pressed in this moment, and one that is replaced before the release takes no click.
  if (!looksLike(columns.bar, next)) redraw(columns.bar, next);
  announce(state);
}

/** Draws a part anew; what had the focus there has it again, by its place: who is on *Join* stays there while the steps are read. */
function redraw(part: HTMLElement, children: readonly HTMLElement[]): void {
  const stops = () => [...part.querySelectorAll<HTMLElement>('button, [tabindex]')];
  const place = stops().findIndex((one) => one === document.activeElement);
  const { scrollTop } = part;
  part.replaceChildren(...children);
  part.scrollTop = scrollTop;
  if (place >= 0) (stops()[place] ?? stops().at(-1) ?? document.getElementById('submit'))?.focus();
}

const looksLike = (part: HTMLElement, children: readonly HTMLElement[]): boolean =>
  part.children.length === children.length && children.every((child, index) => child.isEqualNode(part.children.item(index)));

function rebuild(state: FormState, shown: Values): void {
  const focused = document.activeElement?.id ?? '';
  const wasOpen = columns.left.querySelector('details')?.open ?? false;
  views = state.fields.map((field) => fieldView(field, () => changed(field.id), send));
  // Before the focus comes back: a focused field is left alone, and a new one is empty.
  for (const view of views) view.show(shown[view.id]);
  const plain = views.filter((_, index) => state.fields[index]?.advanced !== true);
  const folded = views.filter((_, index) => state.fields[index]?.advanced === true);
  const advanced = element('details', {}, [element('summary', {}, [state.words.advanced]), ...folded.map((view) => view.node)]);
  advanced.open = wasOpen;
  const restored =
    state.restored === undefined
      ? []
      : [
          element('p', { class: 'restored' }, [
            state.restored.text,
            ' ',
            button(state.restored.startOver, 'link', () => send({ type: 'startOver' })),
          ]),
        ];
  columns.left.replaceChildren(
    element('h1', {}, [state.heading]),
    element('p', { class: 'intro' }, [state.intro]),
    ...restored,
    ...plain.map((view) => view.node),
    ...(folded.length > 0 ? [advanced] : []),
  );
  if (root.childElementCount === 0)
    root.replaceChildren(element('div', { class: 'columns' }, [columns.left, columns.right]), columns.bar, announcer, alarm);
  const target = focused === '' ? views[0]?.first() : document.getElementById(focused);
  target?.focus();
}

function bar(state: FormState): readonly HTMLElement[] {
  const submit = button(state.submit.label, 'primary', () => send({ type: 'submit' }), state.submit.disabled);
  submit.id = 'submit';
  const draft =
    state.draft === undefined ? [] : [button(state.draft.label, 'secondary', () => send({ type: 'draft' }), state.draft.disabled)];
  const extra = state.extra === undefined ? [] : [button(state.extra.label, 'secondary', () => send({ type: 'extra' }))];
  const reason = element('span', { class: 'reason', id: 'reason' }, [state.submit.disabled]);
  return [submit, ...draft, ...extra, button(state.words.cancel, 'secondary', () => send({ type: 'cancel' })), reason];
}

function holds(value: FieldValue | undefined): boolean {
  if (value === undefined || typeof value === 'string') return (value ?? '') !== '';
  return value.some((one) => typeof one === 'string' || Object.values(one).some((text) => text !== ''));
}

/** Who presses a button that is disabled wants to know what is missing. */
function showProblems(): void {
  if (last === undefined) return;
  for (const view of views) touched.add(view.id);
  draw(last);
  const { problems } = last;
  // The first on the page, which need not be the first that was found; a folded one cannot take the focus.
  const wrong = views.find((view) => problems[view.id] !== undefined);
  const folded = wrong?.node.closest('details');
  if (folded) folded.open = true;
  wrong?.first()?.focus();
}

/** A button that keeps its place in the tab order while it is disabled, so that its reason can be read. */
function button(label: string, kind: string, press: () => void, disabled = ''): HTMLButtonElement {
  const made = element(
    'button',
    { type: 'button', class: kind, ...(disabled === '' ? {} : { 'aria-disabled': 'true', 'aria-describedby': 'reason', title: disabled }) },
    [label],
  );
  made.addEventListener('click', () => (disabled === '' ? press() : showProblems()));
  return made;
}

/** Only what changed is spoken, and only once. */
function announce(state: FormState): void {
  const problem = touched.size > 0 ? views.map((view) => state.problems[view.id]).find((text) => text !== undefined) : undefined;
  const wrong = state.preview.error?.text ?? problem ?? '';
  speak(alarm, wrong);
  speak(announcer, wrong === '' && state.preview.status === 'ready' ? state.preview.summary : '');
}

function speak(region: HTMLElement, text: string): void {
  if (region.textContent !== text) region.textContent = text;
}

columns.left.addEventListener('submit', (event) => event.preventDefault());
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') send({ type: 'cancel' });
  // A choice opens with Space or the arrows: Enter means the same in every field.
  const inField =
    event.target instanceof HTMLSelectElement ||
    (event.target instanceof HTMLInputElement && (event.target.type === 'text' || event.target.type === 'checkbox'));
  if (event.key !== 'Enter' || event.isComposing || !(inField || event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  document.getElementById('submit')?.click();
});
window.addEventListener('focus', () => send({ type: 'focus', here: true }));
window.addEventListener('blur', () => send({ type: 'focus', here: false }));
window.addEventListener('message', (event: MessageEvent<Partial<ToPage>>) => {
  // Only the host that made this page posts here; a frame of another origin cannot be inside it (the page's policy allows none).
  if (event.data.state !== undefined) draw(event.data.state);
});
send({ type: 'ready' });
send({ type: 'focus', here: document.hasFocus() });
