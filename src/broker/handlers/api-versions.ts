import type { ResponseOf } from '../protocol/api.ts'
import { apiVersions } from '../protocol/messages/api-versions.ts'
import { produce } from '../protocol/messages/produce.ts'
import { type Handler, handlerOf } from './handler.ts'

type Listed = ResponseOf<typeof apiVersions>['apiKeys'][number]

/**
 * ApiVersions 0-4: which APIs there are, in which versions. Finalized features are not listed: clients then keep to the first
 * protocol of transactions and groups.
 */
export function handleApiVersions(handlers: () => readonly Handler[]): Handler {
  return handlerOf(apiVersions, [0, 4], () => ({ errorCode: 0, apiKeys: listedVersions(handlers()) }))
}

export function listedVersions(handlers: readonly Handler[]): readonly Listed[] {
  return handlers.map(({ api, versions }) => ({
    apiKey: api.key,
    // Old librdkafka takes another lowest version of Produce for a broker that cannot compress (KAFKA-18659).
    minVersion: api.key === produce.key ? 0 : versions.from,
    maxVersion: versions.to,
  }))
}
