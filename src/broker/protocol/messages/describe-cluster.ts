export const describeCluster = {
  key: 60,
  name: 'DescribeCluster',
  versions: '0-2',
  flexible: '0+',
  request: {
    includeClusterAuthorizedOperations: ['bool', '0+'],
    endpointType: ['int8', '1+', { default: 1 }],
    includeFencedBrokers: ['bool', '2+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    errorCode: ['int16', '0+'],
    errorMessage: ['string', '0+', { nullable: '0+', default: null }],
    endpointType: ['int8', '1+', { default: 1 }],
    clusterId: ['string', '0+'],
    controllerId: ['int32', '0+', { default: -1 }],
    brokers: [
      [
        {
          brokerId: ['int32', '0+'],
          host: ['string', '0+'],
          port: ['int32', '0+'],
          rack: ['string', '0+', { nullable: '0+', default: null }],
          isFenced: ['bool', '2+'],
        },
      ],
      '0+',
    ],
    clusterAuthorizedOperations: ['int32', '0+', { default: -2147483648 }],
  },
} as const
