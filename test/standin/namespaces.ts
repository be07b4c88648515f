import { z } from 'zod'
import { type Account, ApiError, createNamespace } from '../../infra/local/cloud/account.ts'
import type { Call } from './call.ts'

const Titled = z.object({ title: z.string() })

export function addNamespace({ cloud, body }: Call): unknown {
  const { title } = Titled.parse(body)
  return describe({ id: createNamespace(cloud.account, title), title })
}

export function listNamespaces({ cloud }: Call): unknown {
  return cloud.account.namespaces.map(describe)
}

export function showNamespace(call: Call): unknown {
  return describe(findNamespace(call))
}

export function renameNamespace(call: Call): unknown {
  const namespace = findNamespace(call)
  namespace.title = Titled.parse(call.body).title
  return describe(namespace)
}

export function removeNamespace(call: Call): unknown {
  const namespace = findNamespace(call)
  call.cloud.account.namespaces = call.cloud.account.namespaces.filter((other) => other !== namespace)
  return null
}

function findNamespace({ cloud, params }: Call): Account['namespaces'][number] {
  const namespace = cloud.account.namespaces.find(({ id }) => id === params.id)
  if (!namespace) throw new ApiError(404, 10013, 'namespace not found')
  return namespace
}

function describe({ id, title }: { id: string; title: string }): object {
  return { id, title, supports_url_encoding: true }
}
