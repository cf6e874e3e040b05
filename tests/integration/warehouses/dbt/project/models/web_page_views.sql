-- Page views under the names that sessions are made of.
{{ config(materialized='view') }}

select
    id as page_view_id,
    anonymous_id,
    user_id,
    "timestamp" as viewed_at,
    received_at,
    url as page_url,
    {{ url_host('url') }} as page_host,
    path as page_path,
    title as page_title,
    search as page_query,
    replace({{ url_host('referrer') }}, 'www.', '') as referrer_host,
    context_campaign_source as utm_source,
    context_campaign_medium as utm_medium,
    context_campaign_name as utm_campaign,
    context_campaign_term as utm_term,
    context_campaign_content as utm_content,
    context_ip as ip,
    case when lower(context_user_agent) like '%iphone%' then 'phone' else 'desktop' end as device
from {{ source('headwater', 'pages') }}
