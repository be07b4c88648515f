import { ChronicleSync } from '@chronicle-sync/pulumi'
import { Config } from '@pulumi/pulumi'

const config = new Config()
const sync = new ChronicleSync('sync', {
  hostname: config.require('hostname'),
  corsOrigins: ['https://app.example.com'],
  protect: config.getBoolean('protect') ?? true,
})

export const { url, scriptName, adminToken } = sync
