// The far end of Rescind's "through a cloud function" route: makes one logistics call per event and says how it went.
// What comes in and what goes back is described in README.md beside this file.
const cloud = require('wx-server-sdk')

cloud.init({ env: cloud.DYNAMIC_CURRENT_ENV })

// What is passed on of an answer. The printed slip is left out on purpose: it is large and shows the receiver's address.
const ACTIONS = {
  cancelOrder: ['orderId', 'deliveryId', 'waybillId', 'deliveryResultcode', 'deliveryResultmsg'],
  getOrder: ['orderId', 'deliveryId', 'waybillId', 'orderStatus'],
  getPath: ['openid', 'deliveryId', 'waybillId', 'pathItemNum', 'pathItemList'],
  getAllDelivery: ['count', 'data'],
}

const pick = (from, names) => Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]))

exports.main = async (event) => {
  const { action } = event
  if (action === 'ping') return { errCode: 0, errMsg: 'ping:ok' }
  if (!Object.prototype.hasOwnProperty.call(ACTIONS, action)) return { errCode: -2, errMsg: 'unknown action' }

  const asked = pick(event, ['openid', 'orderId', 'deliveryId', 'waybillId'])
  try {
    const told = await cloud.openapi.logistics[action](asked)
    return { errCode: told.errCode, errMsg: told.errMsg, ...pick(told, ACTIONS[action]) }
  } catch (error) {
    // Never say more than is known: an error without a code may have struck after the call was carried out.
    const errCode = Number.isInteger(error.errCode) ? error.errCode : -1
    return { errCode, errMsg: String(error.errMsg || error.message || error), ...pick(error, ACTIONS.cancelOrder) }
  }
}
