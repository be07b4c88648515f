import { ApiError } from '../../infra/local/cloud/account.ts'
import { openSession, receiveAssets } from './assets.ts'
import { showToken } from './authority.ts'
import type { Answer } from './call.ts'
import {
  addNamespace,
  listNamespaces,
  removeNamespace,
  renameNamespace,
  showNamespace,
} from './namespaces.ts'
import {
  addBucket,
  listAccounts,
  queryDataset,
  registerOwnName,
  showBucket,
  showOwnName,
} from './own-account.ts'
import {
  changeSettings,
  createVersion,
  deployVersion,
  listDeployments,
  listScripts,
  listSecrets,
  putScript,
  removeScript,
  removeSubdomain,
  showContent,
  showService,
  showSettings,
  showSubdomain,
  showWorker,
  switchSubdomain,
} from './scripts.ts'
import {
  addRecord,
  addRoute,
  attachDomain,
  changeRecord,
  changeRoute,
  detachDomain,
  listDomains,
  listRecords,
  listRoutes,
  listZones,
  removeRecord,
  removeRoute,
  showDomain,
  showRecord,
  showRoute,
  showZone,
} from './zones.ts'

const ACCOUNT = '/accounts/:account'
const NAMESPACES = `${ACCOUNT}/storage/kv/namespaces`
const WORKERS = `${ACCOUNT}/workers`
const SCRIPT = `${WORKERS}/scripts/:name`
const ZONE = '/zones/:zone'

/** Routes that the resources of the program, `wrangler deploy` and the doctor call. */
const ROUTES: readonly (readonly [method: string, path: string, answer: Answer])[] = [
  ['GET', '/user/tokens/verify', showToken],
  ['GET', '/accounts', listAccounts],
  ['POST', `${ACCOUNT}/analytics_engine/sql`, queryDataset],
  ['GET', `${ACCOUNT}/r2/buckets/:name`, showBucket],
  ['POST', `${ACCOUNT}/r2/buckets`, addBucket],
  ['GET', NAMESPACES, listNamespaces],
  ['POST', NAMESPACES, addNamespace],
  ['GET', `${NAMESPACES}/:id`, showNamespace],
  ['PUT', `${NAMESPACES}/:id`, renameNamespace],
  ['DELETE', `${NAMESPACES}/:id`, removeNamespace],
  ['GET', `${WORKERS}/scripts`, listScripts],
  ['PUT', SCRIPT, putScript],
  ['DELETE', SCRIPT, removeScript],
  ['POST', `${SCRIPT}/assets-upload-session`, openSession],
  ['POST', `${WORKERS}/assets/upload`, receiveAssets],
  ['GET', `${SCRIPT}/settings`, showSettings],
  ['PATCH', `${SCRIPT}/script-settings`, changeSettings],
  ['GET', `${SCRIPT}/content/v2`, showContent],
  ['GET', `${SCRIPT}/secrets`, listSecrets],
  ['POST', `${SCRIPT}/versions`, createVersion],
  ['POST', `${SCRIPT}/deployments`, deployVersion],
  ['GET', `${SCRIPT}/deployments`, listDeployments],
  ['GET', `${SCRIPT}/subdomain`, showSubdomain],
  ['POST', `${SCRIPT}/subdomain`, switchSubdomain],
  ['DELETE', `${SCRIPT}/subdomain`, removeSubdomain],
  ['GET', `${WORKERS}/services/:name`, showService],
  ['GET', `${WORKERS}/workers/:name`, showWorker],
  ['GET', `${WORKERS}/subdomain`, showOwnName],
  ['PUT', `${WORKERS}/subdomain`, registerOwnName],
  ['GET', `${WORKERS}/domains`, listDomains],
  ['PUT', `${WORKERS}/domains`, attachDomain],
  ['GET', `${WORKERS}/domains/:id`, showDomain],
  ['DELETE', `${WORKERS}/domains/:id`, detachDomain],
  ['GET', '/zones', listZones],
  ['GET', ZONE, showZone],
  ['GET', `${ZONE}/workers/routes`, listRoutes],
  ['POST', `${ZONE}/workers/routes`, addRoute],
  ['GET', `${ZONE}/workers/routes/:id`, showRoute],
  ['PUT', `${ZONE}/workers/routes/:id`, changeRoute],
  ['DELETE', `${ZONE}/workers/routes/:id`, removeRoute],
  ['GET', `${ZONE}/dns_records`, listRecords],
  ['POST', `${ZONE}/dns_records`, addRecord],
  ['GET', `${ZONE}/dns_records/:id`, showRecord],
  ['PUT', `${ZONE}/dns_records/:id`, changeRecord],
  ['DELETE', `${ZONE}/dns_records/:id`, removeRecord],
]

export interface Match {
  readonly answer: Answer
  readonly params: Readonly<Record<string, string>>
}

/** Finds the route of a path. Throws an ApiError for an unknown path. */
export function matchRoute(method: string, path: string): Match {
  for (const [verb, pattern, answer] of ROUTES) {
    const groups = verb === method && toExpression(pattern).exec(path)?.groups
    if (groups) return { answer, params: { ...groups } }
  }
  throw new ApiError(404, 7003, `the stand-in has no ${method} ${path}`)
}

function toExpression(pattern: string): RegExp {
  // The empty group makes `groups` exist for a pattern without parameters.
  return new RegExp(`^${pattern.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}(?<rest>)$`)
}
