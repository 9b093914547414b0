// What js-libp2p expects of a newer node than the oldest that these tests run on. To be imported before it.
Promise.withResolvers ??= function() {
  let resolve, reject;
  const promise = new this((...both) => [resolve, reject] = both);
  return {promise, resolve, reject};
};
