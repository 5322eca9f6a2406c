# The viewer of the ad-effect model: what would next month's advertising bring?
#
# One app for every target. It is told which model it shows and never looks for another:
#   MODEL         the model's name and version, as in ad-effect-v42
#   MODEL_FILE    the model.json that ../README.md describes, checked before this app starts
#   MODEL_COMMIT  the commit it was made from, if the pipeline passes it on
# The page names its model in <meta name="gitwf-model">: that is how a rollout knows that it works.
# Everything is drawn as SVG, so no graphics device and no fonts are needed on the server.

library(shiny)

tag_of_model <- Sys.getenv("MODEL", "unknown model")
commit <- substr(Sys.getenv("MODEL_COMMIT"), 1, 8)
model <- jsonlite::fromJSON(Sys.getenv("MODEL_FILE"), simplifyVector = TRUE)
channels <- model$channels
shares <- vapply(channels, function(channel) channel$share, numeric(1))
colours <- c("#0f7c8a", "#d1603d", "#5b7f3a", "#6d5a8e")[seq_along(channels)]
names(colours) <- names(channels)

# ---- the arithmetic --------------------------------------------------------------------------

# Interpolate a channel's curve (effect, low or high) at a spend; beyond its end the last value.
at <- function(channel, curve, spend) {
  approx(channel$spend, channel[[curve]], xout = spend, rule = 2)$y
}

# The sum over all channels of a curve, for a budget that is split by `split`.
gain <- function(curve, budget, split) {
  sum(mapply(function(name) at(channels[[name]], curve, budget * split[[name]]), names(channels)))
}

# ---- words and numbers -----------------------------------------------------------------------

thousands <- function(x) format(round(x), big.mark = ",", trim = TRUE, scientific = FALSE)
points <- function(x) sprintf("%+.2f", x)
percent <- function(x, digits = 1) sprintf(paste0("%.", digits, "f%%"), 100 * x)
title_case <- function(x) paste0(toupper(substr(x, 1, 1)), substring(x, 2))

chip <- function(label, value) {
  span(class = "chip", span(class = "chip-label", label), value)
}

fact <- function(label, value, explained) {
  div(class = "fact", title = explained, div(class = "fact-value", value), div(class = "fact-label", label))
}

# ---- the curves ------------------------------------------------------------------------------

# Round steps for an axis from 0 or below to `most`.
ticks <- function(least, most) {
  marks <- pretty(c(least, most), n = 4)
  marks[marks >= least & marks <= most]
}

# One channel as SVG: the band, the line, and a dot where the chosen spend lies.
curve_svg <- function(name, spend, top, bottom) {
  channel <- channels[[name]]
  colour <- colours[[name]]
  width <- 460; height <- 340; left <- 36; right <- 14; upper <- 12; lower <- 32
  most <- max(channel$spend)
  x <- function(value) left + pmin(value, most) / most * (width - left - right)
  y <- function(value) height - lower - (value - bottom) / (top - bottom) * (height - lower - upper)
  path <- function(xs, ys) paste(sprintf("%.1f,%.1f", xs, ys), collapse = " ")
  across <- ticks(0, most)
  up <- ticks(bottom, top)
  grid <- sprintf(
    '<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" class="%s"/><text x="%d" y="%.1f" text-anchor="end">%g</text>',
    left, width - right, y(up), y(up), ifelse(up == 0, "zero", "grid"), left - 8, y(up) + 4, up
  )
  feet <- sprintf(
    '<text x="%.1f" y="%d" text-anchor="middle">%s</text>', x(across), height - 12,
    ifelse(across == 0, "0", paste0(format(across / 1000, trim = TRUE), "k"))
  )
  effect <- at(channel, "effect", spend)
  low <- at(channel, "low", spend)
  high <- at(channel, "high", spend)
  HTML(paste0(
    sprintf('<svg viewBox="0 0 %d %d" role="img" aria-label="Response to %s">', width, height, name),
    paste(grid, collapse = ""), paste(feet, collapse = ""),
    sprintf(
      '<polygon points="%s %s" fill="%s" opacity=".15"/>',
      path(x(channel$spend), y(channel$high)), path(rev(x(channel$spend)), rev(y(channel$low))), colour
    ),
    sprintf(
      '<polyline points="%s" fill="none" stroke="%s" stroke-width="3" stroke-linejoin="round"/>',
      path(x(channel$spend), y(channel$effect)), colour
    ),
    sprintf(
      '<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="2" opacity=".55"/>',
      x(spend), x(spend), y(low), y(high), colour
    ),
    sprintf(
      '<circle cx="%.1f" cy="%.1f" r="6.5" fill="%s" stroke="#fff" stroke-width="2.5"/></svg>',
      x(spend), y(effect), colour
    )
  ))
}

# ---- the page --------------------------------------------------------------------------------

style <- "
:root { --ink: #16202c; --soft: #5d6b7c; --line: #e3e8ee; --card: #fff; --ground: #f4f6f9; --accent: #0f7c8a; }
body { font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; color: var(--ink); background: var(--ground); }
.page { max-width: 1180px; margin: 0 auto; padding: 28px 24px 48px; }
header { display: flex; flex-wrap: wrap; gap: 10px 24px; align-items: baseline; justify-content: space-between; margin-bottom: 22px; }
h1 { font-size: 28px; font-weight: 700; letter-spacing: -.02em; margin: 0; }
header p { margin: 2px 0 0; color: var(--soft); }
.chip { display: inline-block; background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 3px 13px; margin-right: 6px; font-size: 14px; font-weight: 600; font-variant-numeric: tabular-nums; }
.chip-label { color: var(--soft); font-weight: 400; margin-right: 6px; }
.cards { display: grid; grid-template-columns: minmax(300px, 380px) 1fr; gap: 20px; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 22px 24px; box-shadow: 0 1px 2px rgba(22, 32, 44, .04); }
.card h2 { font-size: 15px; font-weight: 600; margin: 0 0 4px; }
.card .hint { color: var(--soft); font-size: 13px; margin: 0 0 8px; }
.answer { font-size: 52px; font-weight: 700; line-height: 1.1; letter-spacing: -.03em; color: var(--accent); font-variant-numeric: tabular-nums; }
.answer-words { color: var(--soft); margin: 2px 0 20px; font-size: 14px; }
.answer-words b { color: var(--ink); font-variant-numeric: tabular-nums; }
.curves { display: grid; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); gap: 20px; }
.curve-head { display: flex; justify-content: space-between; align-items: baseline; }
.curve-gain { font-size: 20px; font-weight: 700; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; display: block; margin-top: 6px; }
svg text { font-size: 13px; fill: #6c7988; }
svg .grid { stroke: #edf0f4; } svg .zero { stroke: #b9c3cf; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(120px, 1fr)); gap: 14px 20px; margin-top: 14px; }
.quality { margin-top: 20px; }
.fact-value { font-size: 20px; font-weight: 650; font-variant-numeric: tabular-nums; }
.fact-label { color: var(--soft); font-size: 13px; }
.form-group { width: 100% !important; margin-bottom: 14px; }
.control-label { font-weight: 600; font-size: 14px; }
.irs--shiny .irs-bar { background: var(--accent); border-color: var(--accent); }
.irs--shiny .irs-single { background: var(--accent); font-size: 12px; }
.irs--shiny .irs-handle { border-color: var(--accent); }
.irs--shiny .irs-min, .irs--shiny .irs-max { visibility: hidden; }
#shiny-disconnected-overlay { display: none; }
.renewing { display: none; position: fixed; right: 20px; bottom: 20px; background: var(--ink); color: #fff; border-radius: 10px; padding: 10px 16px; font-size: 14px; }
.disconnected .renewing { display: block; }
.recalculating { opacity: 1 !important; }
@media (max-width: 860px) { .cards { grid-template-columns: 1fr; } }
"

# The page and its session may meet different versions while a rollout switches, and a session ends
# with its viewer. In both cases the page loads itself anew as soon as a viewer answers.
script <- "
$(document).on('shiny:connected', function () {
  Shiny.addCustomMessageHandler('model', function (served) {
    var shown = document.querySelector('meta[name=gitwf-model]').content;
    if (served !== shown) setTimeout(function () { location.reload(); }, 500);
  });
});
$(document).on('shiny:disconnected', function () {
  document.body.classList.add('disconnected');
  var again = function () {
    fetch(location.href, { cache: 'no-store' }).then(function (answer) {
      if (answer.ok) location.reload(); else setTimeout(again, 1000);
    }).catch(function () { setTimeout(again, 1000); });
  };
  setTimeout(again, 500);
});
"

metrics <- model$metrics
budget <- model$budget
pair <- names(channels)
split_slider <- if (length(pair) == 2) {
  sliderInput(
    "share", paste0(title_case(pair[[1]]), "'s share of it"),
    min = 0, max = 100, value = round(100 * shares[[1]]), step = 1, post = "%", ticks = FALSE
  )
}

ui <- bootstrapPage(
  title = tag_of_model,
  lang = "en",
  htmltools::suppressDependencies("strftime"), # for sliders of dates; not every R package ships it
  tags$head(
    tags$meta(name = "gitwf-model", content = tag_of_model),
    tags$meta(name = "viewport", content = "width=device-width, initial-scale=1"),
    tags$style(HTML(style)),
    tags$script(HTML(script))
  ),
  div(
    class = "page",
    tags$header(
      div(
        h1("What does advertising bring?"),
        p(title_case(model$units$effect))
      ),
      div(
        chip("model", tag_of_model),
        if (nzchar(commit)) chip("commit", commit),
        chip("data", paste(model$period$from, "to", model$period$to))
      )
    ),
    div(
      class = "cards",
      div(
        class = "card",
        h2("Expected extra sales"),
        p(class = "hint", "over a month with no advertising at all"),
        div(class = "answer", textOutput("extra", inline = TRUE)),
        uiOutput("words"),
        sliderInput(
          "budget", "Budget for the month", min = budget$min, max = budget$max, value = budget$default,
          step = max(1, signif((budget$max - budget$min) / 200, 1)), ticks = FALSE
        ),
        split_slider
      ),
      div(
        div(class = "curves", lapply(names(channels), function(name) {
          div(
            class = "card",
            div(
              class = "curve-head", h2(title_case(name)),
              span(class = "curve-gain", style = paste("color:", colours[[name]]), textOutput(paste0("gain_", name), inline = TRUE))
            ),
            p(class = "hint", textOutput(paste0("spend_", name), inline = TRUE)),
            uiOutput(paste0("curve_", name))
          )
        })),
        div(
          class = "card quality",
          h2("How good is this model?"),
          p(class = "hint", "measured on months that it had not seen"),
          div(
            class = "facts",
            fact("mean error", percent(metrics$mape), "Mean absolute percentage error of the forecast"),
            fact(HTML("variance explained (R\u00b2)"), sprintf("%.2f", metrics$r2), "1 is perfect, 0 is no better than the mean"),
            fact("bias", sprintf("%+.1f%%", 100 * metrics$bias), "Predicted minus actual, as a share of actual"),
            fact("months of history", model$trained_rows, "Rows that the model was fitted on")
          )
        )
      )
    )
  ),
  div(class = "renewing", "Loading the newest model \u2026")
)

top <- 1.05 * max(vapply(channels, function(channel) max(channel$high), numeric(1)))
bottom <- min(0, vapply(channels, function(channel) min(channel$low), numeric(1)))

server <- function(input, output, session) {
  session$sendCustomMessage("model", tag_of_model)
  split <- reactive({
    if (length(pair) != 2) return(shares)
    setNames(c(input$share, 100 - input$share) / 100, pair)
  })
  output$extra <- renderText(points(gain("effect", input$budget, split())))
  output$words <- renderUI({
    p(
      class = "answer-words",
      "between ", tags$b(points(gain("low", input$budget, split()))), " and ", tags$b(points(gain("high", input$budget, split()))),
      " (the channels' 80% bands added up)", tags$br(), "sales index ", tags$b(sprintf("%.1f", model$baseline + gain("effect", input$budget, split()))),
      sprintf(" instead of %.1f", model$baseline)
    )
  })
  lapply(names(channels), function(name) {
    spend <- reactive(input$budget * split()[[name]])
    output[[paste0("gain_", name)]] <- renderText(points(at(channels[[name]], "effect", spend())))
    output[[paste0("spend_", name)]] <- renderText(paste("at a spend of", thousands(spend()), "in the month"))
    output[[paste0("curve_", name)]] <- renderUI(curve_svg(name, spend(), top, bottom))
  })
}

shinyApp(ui, server)
