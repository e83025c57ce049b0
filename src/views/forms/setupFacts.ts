import type { App } from '../../editor/app.ts';
import { sourceText } from '../../editor/sourceText.ts';
import type { SetupPreview } from '../../mesh/mesh.ts';
import type { Preview } from './protocol.ts';

type Fact = Preview['facts'][number];

/** What was found in a cluster, and what the account may not do there. */
export function setupFacts(app: App, preview: SetupPreview): Preview['facts'] {
  const { t } = app.texts;
  const denied = preview.denied.map(
    ({ verb, resource, group, namespace }) =>
      `${verb} ${resource}${group === '' ? '' : `.${group}`}${namespace === undefined ? '' : ` (${namespace})`}`,
  );
  return [
    { label: t('forms.setup.release'), value: `Istio ${preview.controlPlane.release}` },
    ...(preview.providerSource === 'not-asked' ? detailsOf(app, preview) : [provider(app, preview), serviceCidr(app, preview)]),
    ...(denied.length === 0 ? [] : [{ label: t('forms.setup.denied'), value: denied.join(', '), bad: true }]),
  ];
}

function detailsOf({ texts }: App, { controlPlane: { details = [], limits = [] } }: SetupPreview): readonly Fact[] {
  return [
    ...details.map(({ label, value, source, attention }) => ({
      label: texts.say(label),
      value: value === '-' ? texts.t('editor.notice.missing') : source === undefined ? value : `${value} (${sourceText(source, texts)})`,
      bad: attention === true,
    })),
    // One that refuses the plan stands where its steps would be.
    ...limits
      .filter(({ blocking }) => !blocking)
      .map(({ text, nextStep }) => ({
        label: texts.t('forms.setup.limit'),
        value: [text, ...(nextStep === undefined ? [] : [nextStep])].map((one) => texts.say(one)).join(' '),
        bad: true,
      })),
  ];
}

function provider({ texts: { t } }: App, { provider: chosen, providerSource }: SetupPreview): Fact {
  return {
    label: t('forms.setup.provider'),
    value: chosen === undefined ? t('forms.setup.provider.none') : t(`forms.setup.provider.${providerSource}`, { provider: chosen }),
    bad: chosen === undefined,
  };
}

function serviceCidr({ texts: { t } }: App, { serviceCidrs }: SetupPreview): Fact {
  return {
    label: t('forms.setup.serviceCidr'),
    value:
      serviceCidrs === undefined
        ? t('forms.setup.serviceCidr.unknown')
        : t('forms.setup.serviceCidr.found', { cidrs: serviceCidrs.cidrs.join(', '), how: serviceCidrs.source }),
    bad: serviceCidrs === undefined,
  };
}
