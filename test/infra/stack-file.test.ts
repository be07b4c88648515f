import { expect, test } from 'vitest'
import { readSealing, readStack } from '../../infra/local/stack-file.ts'
import { newProject } from './project.ts'

test('an encrypted value cannot be read, and another can stand in for it', () => {
  const { root, edit } = newProject()
  edit(
    'Pulumi.dev.yaml',
    (text) => `encryptionsalt: v1:salt\n${text}  chronicle-sync:hostname:\n    secure: v1:x\n`,
  )
  expect(() => readStack(root, 'dev', {})).toThrow(
    /^chronicle-sync:hostname is encrypted in Pulumi\.dev\.yaml and /,
  )
  const { config } = readStack(root, 'dev', { hostname: 'sync.example.com' })
  expect(config['chronicle-sync:hostname']).toBe('sync.example.com')
  const encryptedKeys = ['chronicle-sync:hostname']
  expect(readSealing(root, 'dev')).toEqual({ salt: 'v1:salt', provider: undefined, encryptedKeys })
  expect(readSealing(root, 'prod')).toEqual({ salt: undefined, provider: undefined, encryptedKeys: [] })
})
