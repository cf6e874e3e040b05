-- Sessions, their first and last values, and the user behind them, who may have said so only later.
{% set whole = "partition by session_id order by page_view_number rows between unbounded preceding and unbounded following" %}
{% set first_values = ['utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', 'referrer_host', 'device'] %}
{% set both_values = ['page_url', 'page_host', 'page_path', 'page_query'] %}

with sessions as (

    select distinct
        session_id,
        anonymous_id,
        min(viewed_at) over (partition by session_id) as started_at,
        max(viewed_at) over (partition by session_id) as ended_at,
        count(*) over (partition by session_id) as page_views,
        {% for name in first_values %}
        first_value({{ name }}) over ({{ whole }}) as {{ name }},
        {% endfor %}
        {% for name in both_values %}
        first_value({{ name }}) over ({{ whole }}) as first_{{ name }},
        last_value({{ name }}) over ({{ whole }}) as last_{{ name }}{{ "," if not loop.last }}
        {% endfor %}
    from {{ ref('web_page_views_in_sessions') }}

),

stitched as (

    select sessions.*, coalesce(known.user_id, sessions.anonymous_id) as blended_user_id
    from sessions
    left join {{ ref('web_user_stitching') }} as known on known.anonymous_id = sessions.anonymous_id

)

select
    *,
    {{ dbt.datediff('started_at', 'ended_at', 'second') }} as duration_s,
    row_number() over (partition by blended_user_id order by started_at, session_id) as session_number
from stitched
