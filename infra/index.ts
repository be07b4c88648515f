import { getProject, getStack } from '@pulumi/pulumi'
import { Credentials } from './components/credentials.ts'
import { Endpoint } from './components/endpoint.ts'
import { MetadataStore } from './components/metadata-store.ts'
import { SyncWorker } from './components/sync-worker.ts'
import { bindingsOf, shownBindings } from './program/bindings.ts'
import { bundleWorker, exportsOf } from './program/bundle.ts'
import { checkClasses, deletedSince } from './program/classes.ts'
import { readDeclaration } from './program/declaration.ts'
import { checkLayout, readLayout } from './program/layout.ts'
import { checkMasterKeys } from './program/master-keys.ts'
import { lostSince } from './program/migrations.ts'
import { hostName, physicalNames } from './program/names.ts'
import { readDeployedScript, readRelease } from './program/release.ts'
import { readSettings } from './program/settings.ts'

const root = `${import.meta.dirname}/..`
const stack = getStack()
const settings = readSettings(getProject(), stack)
const { accountId, environment, protect } = settings
const declaration = readDeclaration(root)
const names = physicalNames(declaration.name, stack)
const bundle = await bundleWorker(root, declaration.main)
checkClasses(declaration, exportsOf(bundle))
const lastRelease = await readRelease()
const deployed = await readDeployedScript(accountId, names.scriptName)

const { masterKeys, sessionKeys, adminTokens, sweptMasterKey = 0 } = settings
const layout = readLayout(root)
checkMasterKeys({ masterKeys, sweptMasterKey }, { last: lastRelease, isDeployed: deployed !== undefined })
checkLayout(lastRelease, layout)

const jurisdiction = settings.jurisdiction === 'none' ? undefined : settings.jurisdiction

const store = new MetadataStore('metadata', {
  accountId,
  title: names.namespaceTitle,
  jurisdiction,
  protect,
})
const credentials = new Credentials('credentials', {
  environment,
  protect,
  masterKeys,
  sessionKeys,
  adminTokens,
  sweptMasterKey,
  recordedMasterKeys: lastRelease?.masterKeys,
})

const values = {
  namespaces: { CHRONICLE_KV: store.namespaceId },
  secrets: {
    ADMIN_TOKEN: credentials.adminTokens,
    MASTER_KEY: credentials.masterKeys,
    SESSION_KEY: credentials.sessionKeys,
  },
  variables: {
    ENVIRONMENT: environment,
    CORS_ORIGINS: [...settings.corsOrigins],
    JURISDICTION: settings.jurisdiction,
    ENTRY_NAMES: settings.keyNames,
    STACK: stack,
    VERSION: bundle.version,
  },
  datasets: { ANALYTICS: names.dataset },
  limitsPerMinute: {
    AUTH_LIMIT: settings.authRequestsPerMinute,
    FAILURE_LIMIT: settings.authFailuresPerMinute,
    SYNC_LIMIT: settings.syncRequestsPerMinute,
  },
}
const scriptBindings = bindingsOf(declaration, values, names.scriptName)

const worker = new SyncWorker('sync', {
  accountId,
  scriptName: names.scriptName,
  declaration,
  bundle,
  bindings: scriptBindings,
  logSampling: settings.logSampling,
  smartPlacement: settings.smartPlacement,
  protect,
  deployed,
  release: lastRelease,
})

new Endpoint('endpoint', {
  accountId,
  scriptName: worker.scriptName,
  workersDev: settings.workersDev,
  hostname: settings.hostname,
  route: settings.route,
  routeRecord: settings.routeRecord,
  zoneId: settings.zoneId,
})

const host = hostName(settings, names.scriptName)

export const url = `https://${host}`
export const liveUrl = `wss://${host}/api/live`
export const scriptName = worker.scriptName
export const version = bundle.version
export const namespaceId = store.namespaceId
export const adminToken = credentials.adminToken
/** Shows what a preview of the script hides: one secret makes its whole list of bindings a secret. */
export const bindings = shownBindings(scriptBindings)
/** Read by the next `up` (see program/migrations.ts) and by the policies. */
export const release = {
  ...worker.release,
  jurisdiction: settings.jurisdiction,
  masterKeys,
  sweptMasterKey,
  layout,
  lost: {
    ...lostSince(lastRelease, { ...settings, sweptMasterKey }),
    ...deletedSince(declaration.migrations, deployed?.migrationTag),
  },
}
