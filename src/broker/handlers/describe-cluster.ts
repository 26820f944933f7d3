import type { Broker } from '../broker.ts'
import { codeOf } from '../protocol/error-codes.ts'
import { describeCluster } from '../protocol/messages/describe-cluster.ts'
import { type Handler, handlerOf } from './handler.ts'

const brokers = 1

/** DescribeCluster 0-1: the one broker. Controllers are not told apart from it, and authorized operations not listed. */
export function handleDescribeCluster(broker: Broker): Handler {
  return handlerOf(describeCluster, [0, 1], ({ endpointType }, { advertised }) => {
    const { clusterId, nodeId } = broker
    if (endpointType !== brokers) {
      return { errorCode: codeOf('UNSUPPORTED_ENDPOINT_TYPE'), clusterId, endpointType, brokers: [] }
    }
    return { errorCode: 0, clusterId, controllerId: nodeId, brokers: [{ brokerId: nodeId, ...advertised }] }
  })
}
