export const alterConfigs = {
  key: 33,
  name: 'AlterConfigs',
  versions: '0-2',
  flexible: '2+',
  request: {
    resources: [
      [
        {
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
          configs: [
            [
              {
                name: ['string', '0+'],
                value: ['string', '0+', { nullable: '0+' }],
              },
            ],
            '0+',
          ],
        },
      ],
      '0+',
    ],
    validateOnly: ['bool', '0+'],
  },
  response: {
    throttleTimeMs: ['int32', '0+'],
    responses: [
      [
        {
          errorCode: ['int16', '0+'],
          errorMessage: ['string', '0+', { nullable: '0+' }],
          resourceType: ['int8', '0+'],
          resourceName: ['string', '0+'],
        },
      ],
      '0+',
    ],
  },
} as const
