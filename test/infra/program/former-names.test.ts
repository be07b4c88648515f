import { expect, test } from 'vitest'
import { STACK_TYPE } from '../../../infra/local/engine/goal.ts'
import type { State } from '../../../infra/local/engine/state.ts'
import { newProject } from '../../support/cloud/project.ts'

/** Parts of URNs, with the parts that version 0.1.0 had in their place. */
const FORMER: readonly (readonly [RegExp, string])[] = [
  [/chronicle-sync:index:ChronicleSync\$(chronicle:infra)/, '$1'],
  [
    /chronicle-sync:index:ChronicleSync\$(cloudflare.*)::chronicle-sync-/,
    'chronicle:infra:SyncWorker$$$1::sync-',
  ],
  [/chronicle-sync:index:ChronicleSync::chronicle-sync/, 'chronicle:infra:SyncWorker::sync'],
  [/(MetadataStore\$.*)::chronicle-sync-/, '$1::metadata-'],
  [/(Endpoint\$.*)::chronicle-sync-/, '$1::endpoint-'],
  [/(Credentials\$.*)::chronicle-sync-/, '$1::'],
  [/MetadataStore::chronicle-sync/, 'MetadataStore::metadata'],
  [/Credentials::chronicle-sync/, 'Credentials::credentials'],
  [/Endpoint::chronicle-sync/, 'Endpoint::endpoint'],
]

test.concurrent.each(['chronicle-sync', 'acme'])(
  'continues every resource of version 0.1.0, which had no component around them, in the project %s',
  async (name) => {
    const project = newProject()
    if (name !== 'chronicle-sync') {
      project.edit('Pulumi.yaml', (text) => text.replace('name: chronicle-sync', `name: ${name}`))
    }
    await project.up('dev')
    project.edit('.local/dev/state.json', (text) => {
      const state: State = JSON.parse(text)
      const record = state.resources.find(({ type }) => type.endsWith('ChronicleSync'))?.outputs.release
      const resources = state.resources.map((resource) => ({
        ...resource,
        urn: FORMER.reduce((urn, [now, former]) => urn.replace(now, former), resource.urn),
        ...(resource.type.endsWith('ChronicleSync') && { outputs: {} }),
        // The stack had the record.
        ...(resource.type === STACK_TYPE && { outputs: { ...resource.outputs, release: record } }),
      }))
      const current = resources.filter(({ urn }) => /Sync\$|::chronicle-sync(-[a-z-]*)?$/.test(urn))
      expect(current.filter(({ type }) => type !== STACK_TYPE)).toEqual([])
      return JSON.stringify({ ...state, resources })
    })
    const { steps } = await project.up('dev')
    expect(steps.map(({ operation }) => operation)).toEqual(Array(11).fill('same'))
  },
)
