export const describeGroups = {
  key: 15,
  name: 'DescribeGroups',
  versions: '0-6',
  flexible: '5+',
  request: {
    groups: [['string'], '0+'],
    includeAuthorizedOperations: ['bool', '3+'],
  },
  response: {
    throttleTimeMs: ['int32', '1+'],
    groups: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '6+', { nullable: '6+', default: null }],
          groupId: ['string', '0+'],
          groupState: ['string', '0+'],
          protocolType: ['string', '0+'],
          protocolData: ['string', '0+'],
          members: [
            [
              {
                memberId: ['string', '0+'],
                groupInstanceId: ['string', '4+', { nullable: '4+', default: null }],
                clientId: ['string', '0+'],
                clientHost: ['string', '0+'],
                memberMetadata: ['bytes', '0+'],
                memberAssignment: ['bytes', '0+'],
              },
            ],
            '0+',
          ],
          authorizedOperations: ['int32', '3+', { default: -2147483648 }],
        },
      ],
      '0+',
    ],
  },
} as const
