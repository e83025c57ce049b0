import type { FormState, FromPage, PreviewStep } from '../forms/protocol.ts';
import { element } from './_dom.ts';

/** The right column: what will happen. */
export function previewView(state: FormState, send: (message: FromPage) => void): readonly HTMLElement[] {
  const { preview, words } = state;
  const press = (label: string, kind: string, message: FromPage) => {
    const made = element('button', { type: 'button', class: kind }, [label]);
    made.addEventListener('click', () => send(message));
    return made;
  };
  const facts = preview.facts.flatMap(({ label, value, bad }) => [
    element('dt', {}, [label]),
    element('dd', bad === true ? { class: 'bad' } : {}, [value]),
  ]);
  const error = preview.error;
  const errorNodes =
    error === undefined
      ? []
      : [
          element('div', { class: 'error' }, [
            element('p', {}, [error.text]),
            ...(error.next === undefined ? [] : [element('p', { class: 'next' }, [error.next])]),
            ...(error.choices ?? []).map(({ label }, index) => press(label, 'secondary', { type: 'choose', index })),
            ...(error.connect === undefined ? [] : [press(error.connect, 'primary', { type: 'connect' })]),
          ]),
        ];
  const commands = preview.commands ?? [];
  const toRun =
    commands.length === 0
      ? []
      : [
          element('h2', {}, [words.commands]),
          ...commands.map(({ title, commandLine }, index) =>
            element('div', { class: 'to-run' }, [
              element('p', {}, [title]),
              element('div', { class: 'with-button' }, [
                element('code', { class: 'command', tabindex: '0' }, [commandLine]),
                press(words.copy, 'secondary', { type: 'copyCommand', index }),
              ]),
            ]),
          ),
        ];
  const line = preview.commandLine;
  const commandNodes =
    line === undefined
      ? []
      : [
          element('h2', {}, [words.commandLine]),
          element('div', { class: 'with-button' }, [
            element('code', { class: 'command', tabindex: '0' }, [line]),
            press(words.copy, 'secondary', { type: 'copy' }),
          ]),
        ];
  const progress =
    preview.status === 'working' ? [element('div', { class: 'working', role: 'progressbar', 'aria-label': preview.summary })] : [];
  return [
    element('h2', {}, [words.whatHappens]),
    ...progress,
    element('p', { class: 'summary' }, [preview.summary]),
    ...(facts.length > 0 ? [element('dl', {}, facts)] : []),
    ...errorNodes,
    ...toRun,
    element(
      'ol',
      { class: `steps ${preview.status}` },
      preview.steps.map((step) => stepView(step, send)),
    ),
    ...commandNodes,
  ];
}

function stepView(step: PreviewStep, send: (message: FromPage) => void): HTMLElement {
  const details = step.details.map((detail) => {
    const { file, block } = detail;
    if (block !== undefined)
      return element('li', {}, [detail.text, element('pre', { class: 'block', tabindex: '0' }, [element('code', {}, [block])])]);
    if (file === undefined) return element('li', {}, [detail.code ? element('code', {}, [detail.text]) : detail.text]);
    const link = element('button', { type: 'button', class: 'link' }, [detail.text]);
    link.addEventListener('click', () => send({ type: 'open', file }));
    return element('li', {}, [link]);
  });
  const title = step.target === '' ? step.title : `${step.target}: ${step.title}`;
  return element('li', { class: step.needed ? 'needed' : 'done' }, [
    element('span', { class: 'title' }, [title]),
    element('span', { class: 'state' }, [step.state]),
    ...(details.length > 0 ? [element('ul', {}, details)] : []),
  ]);
}
