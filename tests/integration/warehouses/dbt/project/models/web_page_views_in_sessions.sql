-- Each page view with its session: a new one begins after a pause. Of who has new page views, all are looked at again.
{{ config(materialized='incremental', unique_key='page_view_id') }}

with chosen as (

    select * from {{ ref('web_page_views') }}
    {% if is_incremental() %}
    where anonymous_id in (
        select anonymous_id from {{ ref('web_page_views') }}
        where page_view_id not in (select page_view_id from {{ this }})
    )
    {% endif %}

),

numbered as (

    select
        *,
        row_number() over (partition by anonymous_id order by viewed_at, page_view_id) as page_view_number,
        lag(viewed_at) over (partition by anonymous_id order by viewed_at, page_view_id) as previous_at
    from chosen

),

begun as (

    select
        *,
        case
            when previous_at is null then 1
            when extract(epoch from viewed_at) - extract(epoch from previous_at) > {{ var('inactivity_s') }} then 1
            else 0
        end as is_first
    from numbered

),

counted as (

    select
        *,
        sum(is_first) over (
            partition by anonymous_id order by page_view_number
            rows between unbounded preceding and current row
        ) as session_number
    from begun

)

select *, md5(anonymous_id || '-' || cast(session_number as {{ dbt.type_string() }})) as session_id
from counted
