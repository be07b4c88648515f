import { expect, test } from 'vitest'
import { isSecret, redact } from '../../../infra/local/engine/properties.ts'
import type { UpResult } from '../../../infra/local/engine/up.ts'
import { HOSTNAME, newProject } from '../../support/cloud/project.ts'

/** Formats the registered resources. Replaces ids, hashes and times, which differ between runs, by placeholders. */
function describeRegistered({ steps, outputs }: UpResult): string {
  const resources = steps
    .toSorted((a, b) => (a.resource.urn < b.resource.urn ? -1 : 1))
    .map(({ resource: { urn, protect, retainOnDelete, dependencies, inputs } }) => ({
      urn: urn.replace(/^urn:pulumi:/, ''),
      ...(protect && { protect }),
      ...(retainOnDelete && { retainOnDelete }),
      ...(dependencies.length > 0 && {
        dependencies: dependencies.map((urn) => urn.split('::').at(-1)).toSorted(),
      }),
      inputs: redact(inputs),
    }))
  return `${JSON.stringify({ resources, outputs: redact(outputs) }, null, 2)
    .replaceAll(/"[0-9a-f]{64}"/g, '"<sha256>"')
    .replaceAll(/(\+|": ")[0-9a-f]{12}"/g, '$1<sha256>"')
    .replaceAll(/"20\d\d-[^"]*Z"/g, '"<time>"')
    .replaceAll(/"(?!0{32})[0-9a-f]{32}"/g, '"<id>"')}\n`
}

function secretPaths(value: unknown, path = ''): readonly string[] {
  if (isSecret(value)) return [path]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => secretPaths(inner, path ? `${path}.${key}` : key))
}

test.each([
  ['dev', {}],
  ['prod', HOSTNAME],
  ['pr-7', {}],
])('registers the reviewed resources of the %s stack', async (stack, config) => {
  const project = newProject()
  project.copy('Pulumi.pr.yaml', 'Pulumi.pr-7.yaml')
  const result = await project.up(stack, config)
  await expect(describeRegistered(result)).toMatchFileSnapshot(`registered-${stack}.txt`)

  const script = result.steps.find(({ resource }) => resource.name === 'chronicle-sync-script')?.resource
  const bindings = script?.inputs.bindings as { name: string; type: string }[]
  const names = bindings.map(({ name }) => name)
  expect(names).toEqual(names.toSorted())
  const secrets = bindings.flatMap(({ type }, index) =>
    type === 'secret_text' ? [`bindings.${index}.text`] : [],
  )
  expect(secretPaths(script?.inputs)).toEqual(secrets)
  expect(secrets).toHaveLength(3)
  expect(Object.keys(result.outputs).filter((key) => secretPaths(result.outputs[key]).length > 0)).toEqual([
    'adminToken',
  ])
})
