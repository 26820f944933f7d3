export const consumerGroupDescribe = {
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: '0-1',
  flexible: '0+',
  request: {
    groupIds: [['string'], '0+'],
    includeAuthorizedOperations: ['bool', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    groups: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+', default: null }],
          groupId: ['string', '0+'],
          groupState: ['string', '0+'],
          groupEpoch: ['int32', '0+'],
          assignmentEpoch: ['int32', '0+'],
          assignorName: ['string', '0+'],
          members: [
            [
              {
                memberId: ['string', '0+'],
                instanceId: ['string', '0+', { nullable: '0+', default: null }],
                rackId: ['string', '0+', { nullable: '0+', default: null }],
                memberEpoch: ['int32', '0+'],
                clientId: ['string', '0+'],
                clientHost: ['string', '0+'],
                subscribedTopicNames: [['string'], '0+'],
                subscribedTopicRegex: ['string', '0+', { nullable: '0+', default: null }],
                assignment: [
                  {
                    topicPartitions: [
                      [
                        {
                          topicId: ['uuid', '0+'],
                          topicName: ['string', '0+'],
                          partitions: [['int32'], '0+'],
                        },
                      ],
                      '0+',
                    ],
                  },
                  '0+',
                ],
                targetAssignment: [
                  {
                    topicPartitions: [
                      [
                        {
                          topicId: ['uuid', '0+'],
                          topicName: ['string', '0+'],
                          partitions: [['int32'], '0+'],
                        },
                      ],
                      '0+',
                    ],
                  },
                  '0+',
                ],
                memberType: ['int8', '1+', { default: -1 }],
              },
            ],
            '0+',
          ],
          authorizedOperations: ['int32', '0+', { default: -2147483648 }],
        },
      ],
      '0+',
    ],
  },
} as const
