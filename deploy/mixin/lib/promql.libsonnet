// Shorthands for the queries the boards repeat. `m` limits to the chosen instances; further matchers come after it.
local match(more) = '{instance=~"$instance"%s}' % (if more == '' then '' else ',' + more);
local clause(by) = if by == '' then '' else 'by (%s) ' % by;

{
  gauge(name, by='', more=''):: 'sum %s(%s%s)' % [clause(by), name, match(more)],
  max(name, by='', more=''):: 'max %s(%s%s)' % [clause(by), name, match(more)],
  rate(name, by='', more=''):: 'sum %s(rate(%s%s[$__rate_interval]))' % [clause(by), name, match(more)],
  increase(name, by='', more=''):: 'sum %s(increase(%s%s[$__range]))' % [clause(by), name, match(more)],
  quantile(q, name, by='', more=''):: 'histogram_quantile(%s, sum by (%s) (rate(%s_bucket%s[$__rate_interval])))' % [
    q,
    if by == '' then 'le' else 'le, ' + by,
    name,
    match(more),
  ],
  average(name, by='', more=''):: '%s / %s' % [self.rate(name + '_sum', by, more), self.rate(name + '_count', by, more)],
  ratio(part, whole):: '(%s or vector(0)) / %s' % [part, whole],
  top(expr):: 'topk($top, %s)' % expr,
  buckets(name, more=''):: 'sum by (le) (increase(%s_bucket%s[$__rate_interval]))' % [name, match(more)],
  raw(name, more=''):: name + match(more),
}
