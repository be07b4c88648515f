import { join } from 'node:path'
import type { StackValidationPolicy } from '@pulumi/policy'
import type { Binding } from '../component/bindings.ts'
import { DECLARATION_FILE } from '../component/declaration.ts'
import { filesIn } from '../program/assets.ts'
import { readDeclaration } from '../program/declaration.ts'
import { assetMistakes } from './asset-mistakes.ts'
import { type Script, type StackView, viewOf } from './stack-view.ts'

const ROOT = `${import.meta.dirname}/../..`

/** Finds mistakes in a stack. Each is a sentence with its remedy. */
type Judge = (view: StackView) => readonly string[]

/** The checks before every deployment. All are mandatory: a preview or an update that breaks one fails. */
export const POLICIES: readonly StackValidationPolicy[] = [
  policy('secrets-are-secret', 'No secret is bound as plain text.', secretsInClear),
  policy('stores-are-protected', 'In production no resource with data can be destroyed.', unprotectedStores),
  policy('workers-dev-is-closed', 'Production does not answer under workers.dev.', openWorkersDev),
  policy('cors-names-origins', 'CORS allows exact origins only.', wildcardOrigins),
  policy('production-logs', 'Production keeps all of its logs.', silentProduction),
  policy('no-invocation-logs', 'The platform logs no URLs and headers of requests.', invocationLogs),
  policy('assets-are-known', 'Static assets have known types, and the headers of one text.', unknownAssets),
  policy('jurisdiction-stays', 'The jurisdiction of a stack with data never changes.', movedJurisdiction),
  policy('master-keys-stay', 'No master key that seals data is removed.', lostMasterKeys),
  policy('classes-keep-data', 'In production no migration deletes a class with its objects.', deletedClasses),
]

function policy(name: string, description: string, judge: Judge): StackValidationPolicy {
  return {
    name,
    description,
    enforcementLevel: 'mandatory',
    validateStack({ resources }, report) {
      for (const mistake of judge(viewOf(resources))) report(mistake)
    },
  }
}

function secretsInClear({ scripts }: StackView): readonly string[] {
  const declared = readDeclaration(ROOT).secrets.required
  const open = bindingsOf(scripts).filter(({ type }) => type === 'plain_text' || type === 'json')
  return open
    .filter(({ name }) => declared.includes(name) || /TOKEN|KEY|SECRET|PASSWORD|CREDENTIAL/.test(name))
    .map(({ name }) => `The binding ${name} holds a secret in clear. Pass it through values.secrets.`)
}

function unprotectedStores({ production, stores }: StackView): readonly string[] {
  if (!production) return []
  const loose = stores.filter(({ opts }) => !opts.protect)
  return loose.map(({ name }) => `${name} is not protected in production. Set protect to true.`)
}

function openWorkersDev({ production, openSwitches }: StackView): readonly string[] {
  if (!production) return []
  return openSwitches.map(
    ({ name }) => `${name} lets production answer under workers.dev. Set workersDev to false.`,
  )
}

function wildcardOrigins({ scripts }: StackView): readonly string[] {
  const origins = bindingsOf(scripts).filter(
    ({ name, json }) => name === 'CORS_ORIGINS' && json?.includes('*'),
  )
  return origins.map(({ json }) => `CORS_ORIGINS is ${json}. Name each origin in corsOrigins.`)
}

function silentProduction({ production, scripts }: StackView): readonly string[] {
  if (!production) return []
  const silent = scripts.filter(
    ({ observability: { enabled, headSamplingRate, logs } = {} }) =>
      !enabled || !logs?.enabled || headSamplingRate !== 1,
  )
  return silent.map(
    () =>
      'Production would lose log lines of defects and of operator actions. Set logSampling to 1, and enable observability in the declaration.',
  )
}

/** Treats a missing value as on, which is the platform's default. */
function invocationLogs({ scripts }: StackView): readonly string[] {
  const logging = scripts.filter(({ observability }) => observability?.logs?.invocationLogs !== false)
  return logging.map(
    () =>
      `Invocation logs hold the URL and the headers of every request. Set invocation_logs to false under [observability.logs] in ${DECLARATION_FILE}.`,
  )
}

/** Reads the folder that the provider uploads. */
function unknownAssets({ scripts }: StackView): readonly string[] {
  return scripts.flatMap(({ assets }) => {
    if (!assets) return []
    const { directory, config } = assets
    return assetMistakes(filesIn(join(ROOT, 'infra', directory)), config?.headers ?? '')
  })
}

function movedJurisdiction({ release }: StackView): readonly string[] {
  const before = release?.lost?.jurisdiction
  if (before === undefined) return []
  return [
    `The jurisdiction changes from ${before} to ${release?.jurisdiction}, which hides all data. Back it up and restore it into a new stack.`,
  ]
}

function lostMasterKeys({ release }: StackView): readonly string[] {
  return (release?.lost?.masterKeys ?? []).map(
    (generation) =>
      `Master key ${generation} is taken away, and with it all data that it sealed. Put it back into masterKeys until npm run sweep says that it can go.`,
  )
}

function deletedClasses({ production, release }: StackView): readonly string[] {
  if (!production) return []
  return (release?.lost?.classes ?? []).map(
    (name) =>
      `A migration deletes the class ${name}, and with it all data of its objects. To rename it, write renamed_classes = [{ from = "${name}", to = "..." }] in place of deleted_classes and of the new class.`,
  )
}

function bindingsOf(scripts: readonly Script[]): readonly Binding[] {
  return scripts.flatMap(({ bindings }) => bindings)
}
